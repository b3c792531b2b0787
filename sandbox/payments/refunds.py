"""Refunds: money back, at once, later, or in vain, as the card decides (docs: "Refunds", "Testing")."""

from sandbox import clock, identifiers, schedule, store
from sandbox.options import options
from sandbox.payments.balance import record_movement
from sandbox.payments.test_cards import BY_NUMBER, REFUND_AT_ONCE, REFUND_FAILS, REFUND_PENDING
from sandbox.protocol.errors import ApiError, unexpected_state
from sandbox.protocol.money import written
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit


def create_refund(charge: Body, *, amount: int | None, reason: str | None, metadata: dict[str, str]) -> Body:
    """Give back part or all of a charge, in its minor units. Raises when nothing or less than asked remains."""
    amount = _refundable(charge, amount)
    refund = _build(charge, amount, reason, metadata)
    movement = _money_back(charge, refund)
    refund["balance_transaction"] = movement["id"]
    store.insert(refund)
    previous = {"amount_refunded": charge["amount_refunded"]}
    charge["amount_refunded"] += amount
    if charge["amount_refunded"] == charge["amount"]:
        charge["refunded"] = True
        previous["refunded"] = False
    store.save(charge)
    emit("refund.created", refund)
    emit("charge.refunded", charge, previous=previous)
    schedule.schedule("finish_refund", refund["id"], after=options().settle_delay)
    return refund


def _refundable(charge: Body, amount: int | None) -> int:
    """The amount to give back: asked for, or all that remains."""
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise unexpected_state(
            f"The charge {charge['id']} cannot be refunded because it has not been captured.",
            code="charge_not_refundable",
        )
    if charge["disputed"]:
        raise unexpected_state(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    remaining: int = charge["amount"] - charge["amount_refunded"]
    if remaining == 0:
        raise unexpected_state(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount is not None and amount > remaining:
        currency = charge["currency"]
        raise ApiError(
            f"Refund amount ({written(amount, currency)}) is greater than unrefunded amount on charge "
            f"({written(remaining, currency)})",
            param="amount",
            is_executed=True,
        )
    return remaining if amount is None else amount


def _behaviour(charge: Body) -> str:
    card = BY_NUMBER.get(charge.get("_number", ""))
    return card.refund if card else REFUND_AT_ONCE


def _build(charge: Body, amount: int, reason: str | None, metadata: dict[str, str]) -> Body:
    is_pending = _behaviour(charge) == REFUND_PENDING
    refund: Body = {
        "id": identifiers.sibling_id("re_3" if charge["id"].startswith("ch_") else "pyr_3", charge["id"]),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": clock.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending" if is_pending else "succeeded",
        "transfer_reversal": None,
    }
    if charge["payment_method_details"]["type"] == "card":
        state = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
        refund["destination_details"] = {"card": state, "type": "card"}
    else:
        refund["destination_details"] = {"sepa_bank_transfer": {}, "type": "sepa_bank_transfer"}
    if is_pending:
        refund["pending_reason"] = "processing"
    return refund


def _money_back(charge: Body, refund: Body) -> Body:
    is_card = charge["payment_method_details"]["type"] == "card"
    return record_movement(
        kind="refund" if is_card else "payment_refund",
        reporting_category="refund",
        amount_minor=-refund["amount"],
        currency=refund["currency"],
        source=refund["id"],
        description=f"REFUND FOR CHARGE ({charge['description']})" if charge["description"] else "REFUND FOR CHARGE",
    )


@step("finish_refund")
def finish_refund(refund_id: str) -> None:
    """What comes seconds after a refund: the bank's reference, a late success, or a failure."""
    refund = store.fetch("refund", refund_id)
    charge = store.fetch("charge", refund["charge"])
    behaviour = _behaviour(charge)
    if behaviour == REFUND_FAILS:
        _fail(refund, charge)
        return
    previous: Body = {}
    if refund["status"] == "pending":
        previous["status"] = "pending"
        refund["status"] = "succeeded"
        refund.pop("pending_reason", None)
    if refund["destination_details"]["type"] == "card":
        previous["destination_details"] = {"card": {"reference_status": "pending"}}
        reference = {"reference": identifiers.digits(14), "reference_status": "available"}
        refund["destination_details"]["card"] |= reference
    store.save(refund)
    _announce(refund, previous)


def _fail(refund: Body, charge: Body) -> None:
    """The card refused the money: it comes back to the balance, and the charge is as before."""
    movement = record_movement(
        kind="refund_failure",
        amount_minor=refund["amount"],
        currency=refund["currency"],
        source=refund["id"],
        description=f"REFUND FAILURE ({refund['id']})",
    )
    previous = {"status": refund["status"]}
    refund |= {
        "status": "failed",
        "failure_reason": "expired_or_canceled_card",
        "failure_balance_transaction": movement["id"],
    }
    store.save(refund)
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    store.save(charge)
    emit("refund.failed", refund, is_automatic=True)
    _announce(refund, previous)


def _announce(refund: Body, previous: Body) -> None:
    # charge.refund.updated is the deprecated twin of refund.updated; Stripe still sends both.
    emit("refund.updated", refund, previous=previous, is_automatic=True)
    emit("charge.refund.updated", refund, previous=previous, is_automatic=True)
