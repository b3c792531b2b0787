"""Transfers: money from the platform to a connected account (docs: "Separate charges and transfers").

A transfer reduces the platform's balance; the connected account receives the money as a payment, a charge without a
card.
"""

from typing import Any

from sandbox import clock, identifiers, store
from sandbox.options import options
from sandbox.payments.balance import available_minor, pending_until, record_movement
from sandbox.payments.methods import EMPTY_BILLING
from sandbox.protocol.errors import ApiError, unexpected_state
from sandbox.protocol.listing import as_list
from sandbox.protocol.money import written
from sandbox.store import Body
from sandbox.webhooks.events import emit

INSUFFICIENT = (
    "You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance "
    "by creating Charges using the 4000000000000077 test card. See: "
    "https://stripe.com/docs/testing#available-balance"
)
_NOBODY_PAID = (
    "application", "application_fee", "application_fee_amount", "balance_transaction",
    "calculated_statement_descriptor", "customer", "description", "failure_balance_transaction", "failure_code",
    "failure_message", "on_behalf_of", "outcome", "payment_intent", "payment_method", "receipt_email",
    "receipt_number", "receipt_url", "review", "shipping", "source", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_data", "transfer_group",
)  # fmt: skip


def create_transfer(  # noqa: PLR0913 -- what a caller may say of a transfer
    *,
    amount: int,
    currency: str,
    destination: str,
    source: Body | None = None,
    description: str | None = None,
    metadata: dict[str, str] | None = None,
    transfer_group: str | None = None,
    source_type: str = "card",
    application_fee_minor: int = 0,
) -> Body:
    """Move an amount in minor units from the acting account to another; emits transfer.created and payment.created.

    With a `source` charge the money becomes available with that charge's; without one it must be available, or this
    raises. `application_fee_minor` is the part that the platform keeps.
    """
    if source is None and available_minor(currency) < amount:
        raise unexpected_state(INSUFFICIENT, code="balance_insufficient")
    available_on = clock.now() if source is None else _available_on(source)
    transfer = _build(amount, currency, source) | {
        "description": description,
        "destination": destination,
        "metadata": metadata or {},
        "source_type": source_type,
        "transfer_group": transfer_group or (source or {}).get("transfer_group"),
    }
    movement = record_movement(
        kind="transfer",
        amount_minor=-amount,
        currency=currency,
        source=transfer["id"],
        description=description,
        available_on=available_on,
    )
    payment = _arrive(transfer, available_on=available_on, application_fee_minor=application_fee_minor)
    transfer |= {"balance_transaction": movement["id"], "destination_payment": payment["id"]}
    store.insert(transfer)
    emit("transfer.created", transfer)
    with store.acting_for(destination):
        emit("payment.created", payment)
    return transfer


def _build(amount: int, currency: str, source: Body | None) -> Body:
    transfer_id = identifiers.sibling_id("tr_3", source["id"]) if source else identifiers.new_id("tr_1", 23)
    return {
        "id": transfer_id,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": clock.now(),
        "currency": currency,
        "destination_payment": None,
        "livemode": False,
        "reversals": as_list([], url=f"/v1/transfers/{transfer_id}/reversals") | {"total_count": 0},
        "reversed": False,
        "source_transaction": source["id"] if source else None,
    }


def _available_on(source: Body) -> int:
    """When a charge's money becomes available; estimated from now if the charge is not settled yet."""
    movement = store.find("balance_transaction", source["balance_transaction"] or "")
    return int(movement["available_on"]) if movement else pending_until()


def _arrive(transfer: Body, *, available_on: int, application_fee_minor: int) -> Body:
    """Create the payment that represents a transfer on the destination account."""
    amount, currency = transfer["amount"], transfer["currency"]
    payment: Body = {
        "id": identifiers.new_id("py_1", 23),
        "object": "charge",
        **dict.fromkeys(_NOBODY_PAID),
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "billing_details": EMPTY_BILLING,
        "captured": True,
        "created": clock.now(),
        "currency": currency,
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "paid": True,
        "payment_method_details": {"stripe_account": {}, "type": "stripe_account"},
        "radar_options": {},
        "refunded": False,
        "source_transfer": transfer["id"],
        "status": "succeeded",
    }
    with store.acting_for(transfer["destination"]):
        movement = record_movement(
            kind="payment",
            reporting_category="charge",
            amount_minor=amount,
            currency=currency,
            source=payment["id"],
            description=None,
            application_fee_minor=application_fee_minor,
            available_on=available_on,
        )
        payment["balance_transaction"] = movement["id"]
        if application_fee_minor:
            payment["application_fee_amount"] = application_fee_minor
        return store.insert(payment)


def check_destination(account_id: str, *, param: str) -> Body:
    """The connected account to transfer to. Raises if there is none, or it cannot receive transfers."""
    account = store.find("account", account_id)
    if account is None or account.get("deleted"):
        raise ApiError(f"No such destination: '{account_id}'", code="resource_missing", param=param)
    if account_id == options().account_id:
        raise ApiError(f"The `{param}` param cannot be set to your own account.", param=param)
    if account["capabilities"].get("transfers") != "active":
        raise ApiError(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers, "
            "crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
            is_executed=True,
        )
    return account


def check_source(charge: Body, amount: int) -> None:
    """Raises if less than this amount, in minor units, of a charge is left to transfer."""
    currency = charge["currency"]
    if charge["status"] not in ("succeeded", "pending"):
        raise ApiError(
            f"The charge {charge['id']} did not succeed, so it cannot be the source of a transfer.",
            param="source_transaction",
            is_executed=True,
        )
    earlier = store.rows("transfer").filter(source=charge["id"]).values_list("body", flat=True)
    used = sum(transfer["amount"] for transfer in earlier)
    if used + amount > charge["amount"]:
        already = f" (There is already a transfer using this source, amounting to {written(used, currency)}.)"
        raise ApiError(
            "Transfers using this transaction as a source must not exceed the source amount of "
            f"{written(charge['amount'], currency)}.{already if used else ''}",
            param="amount",
            is_executed=True,
        )


def save_with_reversals(transfer: Body) -> Body:
    """Store a transfer together with its reversals, newest first."""
    rows = store.rows("transfer_reversal").filter(source=transfer["id"]).order_by("-sequence")
    items: list[Any] = [store.visible(body) for body in rows.values_list("body", flat=True)]
    shown = 10
    url = f"/v1/transfers/{transfer['id']}/reversals"
    listed = as_list(items[:shown], url=url, has_more=len(items) > shown)
    transfer["reversals"] = listed | {"total_count": len(items)}
    return store.save(transfer)
