"""Transfer reversals: all or part of a transfer goes back from a connected account to the platform."""

from sandbox import clock, identifiers, store
from sandbox.connect.application_fees import refund_fee, share_of_fee
from sandbox.connect.transfers import save_with_reversals
from sandbox.payments.balance import record_movement, total_minor
from sandbox.protocol.errors import ApiError, unexpected_state
from sandbox.protocol.money import written
from sandbox.store import Body
from sandbox.webhooks.events import emit


def reverse_transfer(  # noqa: PLR0913 -- what a caller may say of a reversal
    transfer: Body,
    *,
    amount: int | None = None,
    metadata: dict[str, str] | None = None,
    description: str | None = None,
    source_refund: str | None = None,
    refund_application_fee: bool = False,
) -> Body:
    """Take back an amount in minor units, or all that is left; emits transfer.reversed. Raises if impossible."""
    amount = _reversible(transfer, amount)
    reversal: Body = {
        "id": identifiers.new_id("trr_1", 23),
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": None,
        "created": clock.now(),
        "currency": transfer["currency"],
        "destination_payment_refund": None,
        "metadata": metadata or {},
        "source_refund": source_refund,
        "transfer": transfer["id"],
    }
    sent = store.fetch("balance_transaction", transfer["balance_transaction"])
    movement = record_movement(
        kind="transfer_refund",
        reporting_category="transfer_reversal",
        amount_minor=amount,
        currency=transfer["currency"],
        source=reversal["id"],
        description=description,
        available_on=sent["available_on"],
    )
    refund = _take_back(transfer, reversal, available_on=sent["available_on"])
    reversal |= {"balance_transaction": movement["id"], "destination_payment_refund": refund["id"]}
    store.insert(reversal)
    if refund_application_fee:
        _return_fee(transfer, amount)
    _count(transfer, amount)
    return reversal


def _reversible(transfer: Body, amount: int | None) -> int:
    remaining: int = transfer["amount"] - transfer["amount_reversed"]
    currency = transfer["currency"]
    if remaining == 0:
        raise unexpected_state(f"Transfer {transfer['id']} has already been reversed.", code="transfer_reversed")
    if amount is not None and amount > remaining:
        raise ApiError(
            f"Reversal amount ({written(amount, currency)}) is greater than unreversed amount on transfer "
            f"({written(remaining, currency)})",
            param="amount",
            is_executed=True,
        )
    wanted = remaining if amount is None else amount
    _check_funds(transfer, wanted)
    return wanted


def _check_funds(transfer: Body, wanted: int) -> None:
    """Raises for too little balance, unless the platform is liable for losses and may leave the account in debt."""
    destination = store.find("account", transfer["destination"])
    if destination is None or destination.get("deleted"):
        raise ApiError(f"No such destination: '{transfer['destination']}'", code="resource_missing", is_executed=True)
    if destination["controller"]["losses"]["payments"] == "application":
        return
    with store.acting_for(destination["id"]):
        held = total_minor(transfer["currency"])
    if held < wanted:
        raise unexpected_state(
            "The connected account does not have enough funds in its balance to reverse this transfer.",
            code="balance_insufficient",
        )


def _take_back(transfer: Body, reversal: Body, *, available_on: int) -> Body:
    """Create the refund that represents the reversal on the connected account."""
    with store.acting_for(transfer["destination"]):
        payment = store.fetch("charge", transfer["destination_payment"])
        refund: Body = {
            "id": identifiers.new_id("pyr_1", 23),
            "object": "refund",
            "amount": reversal["amount"],
            "balance_transaction": None,
            "charge": payment["id"],
            "created": clock.now(),
            "currency": reversal["currency"],
            "customer": None,
            "customer_account": None,
            "destination_details": None,
            "metadata": {},
            "payment_intent": None,
            "payment_method": None,
            "reason": None,
            "receipt_number": None,
            "source_transfer_reversal": reversal["id"],
            "status": "succeeded",
            "transfer_reversal": None,
        }
        movement = record_movement(
            kind="payment_refund",
            reporting_category="refund",
            amount_minor=-reversal["amount"],
            currency=reversal["currency"],
            source=refund["id"],
            description="REFUND FOR PAYMENT",
            available_on=available_on,
        )
        refund["balance_transaction"] = movement["id"]
        store.insert(refund)
        payment["amount_refunded"] += reversal["amount"]
        payment["refunded"] = payment["amount_refunded"] == payment["amount"]
        store.save(payment)
        return refund


def _count(transfer: Body, amount: int) -> None:
    previous = {"amount_reversed": transfer["amount_reversed"]}
    transfer["amount_reversed"] += amount
    if transfer["amount_reversed"] == transfer["amount"]:
        transfer["reversed"] = True
        previous["reversed"] = False
    save_with_reversals(transfer)
    emit("transfer.reversed", transfer, previous=previous)


def _return_fee(transfer: Body, amount: int) -> None:
    payment = store.find_anywhere("charge", transfer["destination_payment"])
    fee = store.find("application_fee", (payment or {}).get("application_fee") or "")
    if fee is None:
        raise ApiError(
            f"Transfer {transfer['id']} has no application fee to refund.",
            param="refund_application_fee",
            is_executed=True,
        )
    share = share_of_fee(fee, part=amount, whole=transfer["amount"])
    if share:
        refund_fee(fee, amount=share, metadata={})
