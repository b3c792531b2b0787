"""Buttons for payments, refunds, disputes and checkout sessions."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from django.http import QueryDict

from sandbox import store
from sandbox.dashboard.buttons import Input, button, one_of
from sandbox.dashboard.calls import call
from sandbox.disputes.deciding import lose_dispute, win_dispute
from sandbox.disputes.opening import REASONS as DISPUTE_REASONS
from sandbox.disputes.opening import disputable_minor, open_dispute
from sandbox.payments.captures import CANCELABLE
from sandbox.payments.refunds import is_charged_back
from sandbox.protocol.money import decimals, written
from sandbox.store import Body

REFUND_REASONS = ("requested_by_customer", "duplicate", "fraudulent")
UNDECIDED = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")


def minor_units(typed: str, currency: str) -> int:
    """Convert an amount typed in major units to minor units. Raises ValueError if it is not a valid amount."""
    try:
        amount = Decimal(typed.replace(",", "").strip()).scaleb(decimals(currency))
        if amount != amount.to_integral_value() or not 0 < amount < 10**12:
            raise ValueError(f"{typed} is not a valid amount in {currency.upper()}.")
    except (InvalidOperation, OverflowError) as error:
        raise ValueError(f"{typed[:40]} is not a valid amount.") from error
    return int(amount)


def amount_input(label: str, remaining_minor: int, currency: str) -> Input:
    """A field for an amount in major units; its initial value is the remaining amount."""
    places = decimals(currency)
    return Input("amount", label, "text", f"{remaining_minor / 10**places:.{places}f}", is_required=True)


def _is_refundable(charge: Body) -> bool:
    is_left = charge["amount_refunded"] < charge["amount"]
    is_taken = charge["status"] == "succeeded" and bool(charge["captured"])
    return is_taken and is_left and not is_charged_back(charge)


def _refund_inputs(charge: Body) -> Sequence[Input]:
    remaining = charge["amount"] - charge["amount_refunded"]
    label = f"Amount ({charge['currency'].upper()}), at most {written(remaining, charge['currency'])}"
    return (
        amount_input(label, remaining, charge["currency"]),
        one_of("reason", "Reason", REFUND_REASONS, nothing="no reason"),
    )


@button("charge", "refund", "Refund", when=_is_refundable, inputs=_refund_inputs)
def refund(charge: Body, form: QueryDict) -> None:
    params = {"charge": charge["id"], "amount": str(minor_units(form.get("amount", ""), charge["currency"]))}
    if form.get("reason"):
        params["reason"] = form["reason"]
    call("POST", "/v1/refunds", **params)


def _is_disputable(charge: Body) -> bool:
    return disputable_minor(charge) > 0


def _dispute_inputs(_charge: Body) -> Sequence[Input]:
    first = "fraudulent"
    return (
        one_of("reason", "Reason", (first, *(reason for reason in DISPUTE_REASONS if reason != first))),
        one_of("case", "Kind", ("chargeback", "inquiry")),
    )


@button(
    "charge", "dispute", "Open a dispute", when=_is_disputable, inputs=_dispute_inputs,
    about="Acts as the cardholder's bank.", is_destructive=True,
)  # fmt: skip
def dispute(charge: Body, form: QueryDict) -> None:
    reason, case = form.get("reason", ""), form.get("case", "")
    if reason not in DISPUTE_REASONS or case not in ("chargeback", "inquiry"):
        raise ValueError("Choose a reason and a kind of dispute.")
    open_dispute(store.fetch("charge", charge["id"]), reason, case=case)


def _is_undecided(dispute: Body) -> bool:
    return dispute["status"] in UNDECIDED


@button("dispute", "win", "Win", when=_is_undecided, about="The bank decides in your favour.")
def win(found: Body, _form: QueryDict) -> None:
    win_dispute(found)


@button("dispute", "lose", "Lose", when=_is_undecided, about="The cardholder keeps the money.", is_destructive=True)
def lose(found: Body, _form: QueryDict) -> None:
    lose_dispute(found)


def _is_cancelable(intent: Body) -> bool:
    return intent["status"] in CANCELABLE and not intent.get("_session")


@button("payment_intent", "cancel", "Cancel the payment", when=_is_cancelable, is_destructive=True)
def cancel_payment(intent: Body, _form: QueryDict) -> None:
    call("POST", f"/v1/payment_intents/{intent['id']}/cancel")


def _is_capturable(intent: Body) -> bool:
    return bool(intent["status"] == "requires_capture")


def _capture_inputs(intent: Body) -> Sequence[Input]:
    capturable = intent["amount_capturable"]
    return (amount_input(f"Amount ({intent['currency'].upper()})", capturable, intent["currency"]),)


@button("payment_intent", "capture", "Capture", when=_is_capturable, inputs=_capture_inputs)
def capture(intent: Body, form: QueryDict) -> None:
    amount = minor_units(form.get("amount", ""), intent["currency"])
    call("POST", f"/v1/payment_intents/{intent['id']}/capture", amount_to_capture=str(amount))


def _is_open(session: Body) -> bool:
    return bool(session["status"] == "open")


@button("checkout.session", "expire", "Expire the session", when=_is_open, is_destructive=True)
def expire(session: Body, _form: QueryDict) -> None:
    call("POST", f"/v1/checkout/sessions/{session['id']}/expire")
