"""The balance transactions of a dispute, in minor units (docs: "Dispute withdrawals")."""

from sandbox.options import options
from sandbox.payments.balance import own_account, record_movement
from sandbox.store import Body

# Public list prices by the account's country, in minor units of the payment's currency; currencies are not converted.
DISPUTE_FEES_MINOR = {"US": 1500, "GB": 2000, "CA": 1500, "AU": 2500}
FEE_IN_EUROPE_MINOR = 2000


def dispute_fee() -> int:
    """The acting account's fee for a dispute, in minor units."""
    return DISPUTE_FEES_MINOR.get(own_account()["country"], FEE_IN_EUROPE_MINOR)


def withdraw_funds(dispute: Body) -> Body:
    """Withdraw the disputed amount and the fee from the balance, immediately."""
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
    return _with_movement(dispute, movement)


def reinstate_funds(dispute: Body) -> Body:
    """Reinstate the disputed amount, and the fee if SANDBOX_DISPUTE_FEE_RETURNS is on."""
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
    return _with_movement(dispute, movement)


def _with_movement(dispute: Body, movement: Body) -> Body:
    shown = {key: value for key, value in movement.items() if not key.startswith("_")}
    dispute["balance_transactions"] = [*dispute["balance_transactions"], shown]
    return movement
