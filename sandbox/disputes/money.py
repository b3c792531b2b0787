"""What a dispute takes from the balance and gives back, in minor units (docs: "Dispute withdrawals")."""

from sandbox.options import options
from sandbox.payments.balance import own_account, record_movement
from sandbox.store import Body

# Public list prices by the account's country, in minor units of the disputed payment's currency: nothing is converted.
DISPUTE_FEES_MINOR = {"US": 1500, "GB": 2000, "CA": 1500, "AU": 2500}
FEE_IN_EUROPE_MINOR = 2000


def dispute_fee() -> int:
    """The fee that the acting account pays for a dispute, whatever its outcome."""
    return DISPUTE_FEES_MINOR.get(own_account()["country"], FEE_IN_EUROPE_MINOR)


def withdraw_funds(dispute: Body) -> Body:
    """Take the disputed amount and the fee from the balance, at once."""
    movement = record_movement(
        kind="adjustment",
        reporting_category="dispute",
        amount_minor=-dispute["amount"],
        currency=dispute["currency"],
        source=dispute["id"],
        description=f"Chargeback withdrawal for {dispute['charge']}",
        fee_minor=dispute_fee(),
        fee_description="Dispute fee",
        is_available=True,
    )
    return _noted(dispute, movement)


def reinstate_funds(dispute: Body) -> Body:
    """Give the disputed amount back, and the fee too where the account's terms say so."""
    movement = record_movement(
        kind="adjustment",
        reporting_category="dispute_reversal",
        amount_minor=dispute["amount"],
        currency=dispute["currency"],
        source=dispute["id"],
        description=f"Chargeback reversal for {dispute['charge']}",
        fee_minor=-dispute_fee() if options().dispute_fee_returns else 0,
        fee_description="Dispute fee refund",
        is_available=True,
    )
    return _noted(dispute, movement)


def _noted(dispute: Body, movement: Body) -> Body:
    shown = {key: value for key, value in movement.items() if not key.startswith("_")}
    dispute["balance_transactions"] = [*dispute["balance_transactions"], shown]
    return movement
