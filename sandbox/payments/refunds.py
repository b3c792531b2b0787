"""Refunds: the card decides whether they succeed immediately, later or not at all (docs: "Refunds", "Testing")."""

from collections.abc import Callable
from typing import TypeAlias

from sandbox import clock, identifiers, schedule, store
from sandbox.disputes.fraud_warnings import settle_warnings_of
from sandbox.disputes.inquiries import close_inquiries_of
from sandbox.options import options
from sandbox.payments.balance import on_available_funds, on_charge_income, record_movement, total_minor
from sandbox.payments.captures import PLACE_A_HOLD
from sandbox.payments.published_cards import BY_NUMBER, REFUND_AT_ONCE, REFUND_FAILS, REFUND_PENDING
from sandbox.protocol.amounts import check_step
from sandbox.protocol.errors import ApiError, unexpected_state
from sandbox.protocol.money import written
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit

PENDING_FOR_FUNDS = "insufficient_funds"
# A debit is refunded by a bank transfer.
DESTINATIONS = {"card": "card", "sepa_debit": "eu_bank_transfer", "us_bank_account": "us_bank_transfer"}
ConnectedFollower: TypeAlias = Callable[[Body, Body, bool, bool], None]
_connected_followers: list[ConnectedFollower] = []


def create_refund(  # noqa: PLR0913 -- the parameters of a refund
    charge: Body,
    *,
    amount: int | None,
    reason: str | None,
    metadata: dict[str, str],
    instructions_email: str | None = None,
    reverse_transfer: bool = False,
    refund_application_fee: bool = False,
) -> Body:
    """Refund part or all of a charge, in its minor units. Raises Stripe's 400 if less than `amount` remains."""
    amount = _refundable(charge, amount)
    refund = _build(charge, amount, reason, metadata)
    if instructions_email:
        refund["instructions_email"] = instructions_email
    if not charge["captured"]:
        return _release(charge, refund)
    if _lacks_balance(refund):
        refund |= {"status": "pending", "pending_reason": PENDING_FOR_FUNDS}
    else:
        refund["balance_transaction"] = _money_back(charge, refund)["id"]
    store.insert(refund)
    return_connected_money(
        charge, refund, reverse_transfer=reverse_transfer, refund_application_fee=refund_application_fee
    )
    previous = _count_refund(charge, refund)
    emit("refund.created", refund)
    emit("charge.refunded", charge, previous=previous)
    if refund.get("pending_reason") != PENDING_FOR_FUNDS:
        schedule.schedule("finish_refund", refund["id"], after=options().settle_delay)
    close_inquiries_of(charge)
    settle_warnings_of(charge)
    return refund


def on_connected_refund(follower: ConnectedFollower) -> ConnectedFollower:
    """Call `follower` with every refund that also reverses a transfer or refunds an application fee."""
    _connected_followers.append(follower)
    return follower


def return_connected_money(charge: Body, refund: Body, *, reverse_transfer: bool, refund_application_fee: bool) -> None:
    """Call Connect's followers for a refund that reverses a transfer or refunds an application fee."""
    if reverse_transfer or refund_application_fee:
        for follower in _connected_followers:
            follower(charge, refund, reverse_transfer, refund_application_fee)


def _count_refund(charge: Body, refund: Body) -> Body:
    """Add a refund to its charge's totals; returns the previous values."""
    previous = {"amount_refunded": charge["amount_refunded"]}
    charge["amount_refunded"] += refund["amount"]
    if charge["amount_refunded"] == charge["amount"]:
        charge["refunded"] = True
        previous["refunded"] = False
    store.save(charge)
    return previous


def _release(charge: Body, refund: Body) -> Body:
    """Release an uncaptured authorisation: it succeeds immediately, and the balance does not change."""
    refund |= {"status": "succeeded", "destination_details": {"card": {"type": "reversal"}, "type": "card"}}
    refund.pop("pending_reason", None)
    store.insert(refund)
    schedule.unschedule("expire_authorization", charge["id"])
    previous = _count_refund(charge, refund)
    emit("refund.created", refund)
    emit("charge.refunded", charge, previous=previous)
    return refund


def _lacks_balance(refund: Body) -> bool:
    """Whether the balance is too low for the refund; checked only with SANDBOX_REFUNDS_NEED_BALANCE."""
    return options().refunds_need_balance and total_minor(refund["currency"]) < refund["amount"]


def _refundable(charge: Body, amount: int | None) -> int:
    """The amount to refund: the given one, checked, or all that remains."""
    if charge["status"] != "succeeded":
        raise _was_not_successful(charge)
    if not charge["captured"] and charge["payment_intent"]:
        raise ApiError(
            f"This uncaptured Charge was created by a PaymentIntent ({charge['payment_intent']}). You must cancel the "
            "PaymentIntent to reverse the authorization instead of refunding the Charge directly. For more "
            f"information, see {PLACE_A_HOLD}",
            is_executed=True,
        )
    if is_charged_back(charge):
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
    if amount is not None:
        check_step(amount, charge["currency"])
    if not charge["captured"] and amount not in (None, remaining):
        raise ApiError(
            f"Charge {charge['id']} is not captured, so only all of it can be refunded.",
            param="amount",
            is_executed=True,
        )
    return remaining if amount is None else amount


def _was_not_successful(charge: Body) -> ApiError:
    if charge["payment_intent"]:
        return ApiError(
            f"This PaymentIntent ({charge['payment_intent']}) does not have a successful charge to refund.",
            is_executed=True,
        )
    return unexpected_state(
        f"The charge {charge['id']} cannot be refunded because it was not successful.", code="charge_not_refundable"
    )


def is_charged_back(charge: Body) -> bool:
    """Whether a dispute prevents a refund; inquiries and disputes that were won do not (`is_charge_refundable`)."""
    disputes = store.rows("dispute").filter(charge=charge["id"]) if charge["disputed"] else store.rows("dispute").none()
    return any(not body["is_charge_refundable"] for body in disputes.values_list("body", flat=True))


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
        "destination_details": None,
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending" if is_pending else "succeeded",
        "transfer_reversal": None,
    }
    destination = DESTINATIONS.get(charge["payment_method_details"]["type"])
    if destination:
        refund["destination_details"] = {destination: {"reference_status": "pending"}, "type": destination}
    if destination == "card":
        refund["destination_details"]["card"] |= {"reference_type": "acquirer_reference_number", "type": "refund"}
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
    """Finish a refund seconds later: with the bank's reference, a late success, or a failure."""
    refund = store.fetch("refund", refund_id)
    if refund["status"] not in ("pending", "succeeded"):
        return
    charge = store.fetch("charge", refund["charge"])
    if _behaviour(charge) == REFUND_FAILS:
        _fail(refund, charge, "expired_or_canceled_card")
        return
    previous: Body = {}
    if refund["status"] == "pending":
        previous["status"] = "pending"
        refund["status"] = "succeeded"
        refund.pop("pending_reason", None)
    if details := refund["destination_details"]:
        previous["destination_details"] = {details["type"]: {"reference_status": "pending"}}
        details[details["type"]] |= {"reference": identifiers.digits(14), "reference_status": "available"}
    store.save(refund)
    _announce(refund, previous)


def pay_waiting_refunds() -> None:
    """Pay pending refunds that waited for the balance, oldest first, as far as the balance allows."""
    if not options().refunds_need_balance:
        return
    waiting = store.rows("refund").filter(status="pending", body__pending_reason=PENDING_FOR_FUNDS)
    for refund in waiting.order_by("sequence").values_list("body", flat=True):
        if not _lacks_balance(refund):
            charge = store.fetch("charge", refund["charge"])
            refund["balance_transaction"] = _money_back(charge, refund)["id"]
            refund |= {"status": "succeeded"}
            del refund["pending_reason"]
            store.save(refund)
            _announce(refund, {"balance_transaction": None, "status": "pending"})
            schedule.schedule("finish_refund", refund["id"], after=options().settle_delay)


@on_charge_income
def income_arrived(_charge: Body) -> None:
    """Pay waiting refunds from new income."""
    pay_waiting_refunds()


on_available_funds(pay_waiting_refunds)


def fail_pending_refunds(charge: Body) -> None:
    """Fail pending refunds, because the dispute takes the money (docs: "Refunds", failed refunds)."""
    pending = store.rows("refund").filter(charge=charge["id"], status="pending")
    for refund in pending.values_list("body", flat=True):
        _fail(refund, charge, "charge_for_pending_refund_disputed")


def _fail(refund: Body, charge: Body, failure_reason: str) -> None:
    """Fail a refund: the money returns to the balance, and the charge's refund totals are restored."""
    previous = {"status": refund["status"]}
    refund |= {"status": "failed", "failure_reason": failure_reason}
    refund.pop("pending_reason", None)
    if refund["balance_transaction"]:
        movement = record_movement(
            kind="refund_failure",
            amount_minor=refund["amount"],
            currency=refund["currency"],
            source=refund["id"],
            description=f"REFUND FAILURE ({refund['id']})",
        )
        refund["failure_balance_transaction"] = movement["id"]
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
