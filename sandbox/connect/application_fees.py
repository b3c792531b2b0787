"""Application fees: the platform's part of connected accounts' payments (docs: "Collect application fees").

A fee is the platform's object. On the connected account it is a part of the payment's own fee, so that only giving it
back moves anything there.
"""

from decimal import ROUND_HALF_UP, Decimal

from sandbox import clock, identifiers, store
from sandbox.payments.balance import application_id, record_movement
from sandbox.protocol.errors import ApiError, unexpected_state
from sandbox.protocol.listing import as_list
from sandbox.protocol.money import written
from sandbox.store import Body
from sandbox.webhooks.events import emit


def create_fee(*, account: str, charge: Body, amount: int, available_on: int, originating: str | None) -> Body:
    """The platform's income from a connected account's payment, in minor units; emits application_fee.created."""
    fee_id = identifiers.new_id("fee_1", 23)
    with store.acting_for(None):
        movement = record_movement(
            kind="application_fee",
            reporting_category="platform_earning",
            amount_minor=amount,
            currency=charge["currency"],
            source=fee_id,
            description=None,
            available_on=available_on,
        )
        fee: Body = store.insert(
            {
                "id": fee_id,
                "object": "application_fee",
                "account": account,
                "amount": amount,
                "amount_refunded": 0,
                "application": application_id(),
                "balance_transaction": movement["id"],
                "charge": charge["id"],
                "created": clock.now(),
                "currency": charge["currency"],
                "fee_source": {"charge": charge["id"], "type": "charge"},
                "livemode": False,
                "originating_transaction": originating,
                "refunded": False,
                "refunds": as_list([], url=f"/v1/application_fees/{fee_id}/refunds") | {"total_count": 0},
            }
        )
        emit("application_fee.created", fee)
    return fee


def share_of_fee(fee: Body, *, part: int, whole: int) -> int:
    """The fee's share of a part of its payment, as far as it is not refunded yet. All in minor units."""
    share = (Decimal(fee["amount"]) * part / whole).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    remaining: int = fee["amount"] - fee["amount_refunded"]
    return min(int(share), remaining)


def refund_fee(fee: Body, *, amount: int | None, metadata: dict[str, str]) -> Body:
    """Refund all or part (in minor units) of a fee to the connected account; emits application_fee.refunded."""
    amount = _refundable(fee, amount)
    refund_id = identifiers.new_id("fr_1", 23)
    movement = record_movement(
        kind="application_fee_refund",
        reporting_category="platform_earning_refund",
        amount_minor=-amount,
        currency=fee["currency"],
        source=refund_id,
        description=None,
        available_on=_available_on(fee),
    )
    refund = store.insert(
        {
            "id": refund_id,
            "object": "fee_refund",
            "amount": amount,
            "balance_transaction": movement["id"],
            "created": clock.now(),
            "currency": fee["currency"],
            "fee": fee["id"],
            "metadata": metadata,
        }
    )
    _give_back(fee, amount)
    previous = {"amount_refunded": fee["amount_refunded"]}
    fee["amount_refunded"] += amount
    if fee["amount_refunded"] == fee["amount"]:
        fee["refunded"] = True
        previous["refunded"] = False
    save_with_refunds(fee)
    emit("application_fee.refunded", fee, previous=previous)
    return refund


def _refundable(fee: Body, amount: int | None) -> int:
    remaining: int = fee["amount"] - fee["amount_refunded"]
    currency = fee["currency"]
    if remaining == 0:
        raise unexpected_state(f"Application fee {fee['id']} has already been refunded.", code="fee_already_refunded")
    if amount is not None and amount > remaining:
        raise ApiError(
            f"Refund amount ({written(amount, currency)}) is greater than unrefunded amount on application fee "
            f"({written(remaining, currency)})",
            param="amount",
            is_executed=True,
        )
    return remaining if amount is None else amount


def _available_on(fee: Body) -> int:
    return int(store.fetch("balance_transaction", fee["balance_transaction"])["available_on"])


def _give_back(fee: Body, amount: int) -> None:
    """Return the fee to the account from which it was taken."""
    available_on = _available_on(fee)
    with store.acting_for(fee["account"]):
        record_movement(
            kind="adjustment",
            reporting_category="other_adjustment",
            amount_minor=amount,
            currency=fee["currency"],
            source=fee["charge"],
            description=f"Application fee refund for {fee['charge']}",
            available_on=available_on,
        )


def save_with_refunds(fee: Body) -> Body:
    """Store a fee together with its refunds, newest first."""
    rows = store.rows("fee_refund").filter(source=fee["id"]).order_by("-sequence")
    items = [store.visible(body) for body in rows.values_list("body", flat=True)]
    shown = 10
    url = f"/v1/application_fees/{fee['id']}/refunds"
    listed = as_list(items[:shown], url=url, has_more=len(items) > shown)
    fee["refunds"] = listed | {"total_count": len(items)}
    return store.save(fee)
