"""The life of a Checkout Session: opened, paid or expired (docs: "How Checkout works")."""

from dataclasses import dataclass

from sandbox import clock, schedule, store
from sandbox.checkout.shapes import known_customer_details
from sandbox.options import options
from sandbox.payments import intents
from sandbox.payments.captures import cancel_intent
from sandbox.payments.debits import answer_debit
from sandbox.payments.intents import Attempt
from sandbox.payments.methods import EMPTY_ADDRESS
from sandbox.protocol.errors import unexpected_state
from sandbox.resources.customers import create_customer
from sandbox.resources.payment_methods import attach_to_customer
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit

BUSY_RETRY_SECONDS = 600


@dataclass(frozen=True)
class Buyer:
    """What the buyer typed on the page."""

    email: str | None = None
    name: str | None = None
    country: str | None = None
    postal_code: str | None = None


def require_open(session: Body) -> None:
    """Raises when a session can no longer be paid."""
    if session["status"] != "open":
        raise unexpected_state(
            f"This Checkout Session has a status of {session['status']} and can no longer be paid.",
            code="checkout_session_unexpected_state",
        )


def pay_session(session: Body, method: Body | None, buyer: Buyer) -> Attempt | None:
    """One attempt to pay an open session. None when there was nothing to pay.

    A declined attempt leaves the session open; the next one uses the same payment intent.
    """
    require_open(session)
    _write_buyer(session, buyer)
    if session["customer"] is None and session["customer_creation"] == "always":
        customer = create_customer(email=buyer.email, name=buyer.name)
        session["customer"] = customer["id"]
    _complete_customer(session, buyer)
    if session["amount_total"] == 0 or method is None:
        _complete(session, payment_status="no_payment_required")
        return None
    intent = _intent_of(session)
    store.save(session)
    attempt = intents.confirm_intent(intent, method, return_url=success_address(session))
    if attempt.error is None and intent["setup_future_usage"] and session["customer"] and not method["customer"]:
        attach_to_customer(method, session["customer"])
    follow_intent(attempt.intent)
    session |= store.fetch("checkout.session", session["id"])
    return attempt


def _complete_customer(session: Body, buyer: Buyer) -> None:
    """A customer without an address for mail gets the one typed on the page."""
    customer = store.find("customer", session["customer"] or "")
    if customer and not customer.get("deleted") and not customer["email"] and buyer.email:
        customer["email"] = buyer.email
        store.save(customer)
        emit("customer.updated", customer, previous={"email": None})


def _write_buyer(session: Body, buyer: Buyer) -> None:
    known = session["customer_details"] or known_customer_details({"email": session["customer_email"]})
    address = {"country": buyer.country, "postal_code": buyer.postal_code}
    session["customer_details"] = known | {
        "address": EMPTY_ADDRESS | {key: value for key, value in address.items() if value},
        "email": buyer.email or known["email"],
        "name": buyer.name,
        "tax_ids": [],
    }


def _intent_of(session: Body) -> Body:
    """The session's intent, made when the buyer first confirms."""
    if session["payment_intent"]:
        intent = store.fetch("payment_intent", session["payment_intent"])
        intent["customer"] = session["customer"]
        return intent
    asked: Body = dict(session.get("_payment_intent_data") or {})
    shipping = {"amount": 0, "from_postal_code": None, "to_postal_code": None}
    intent = intents.create_intent(
        amount=session["amount_total"],
        currency=session["currency"],
        customer=session["customer"],
        payment_method_types=session["payment_method_types"],
        payment_details={"customer_reference": None, "order_reference": session["id"]},
        amount_details={"shipping": shipping, "tax": {"total_tax_amount": 0}, "tip": {}},
        _session=session["id"],
        **asked,
    )
    session["payment_intent"] = intent["id"]
    return intent


def follow_intent(intent: Body) -> None:
    """Let a session follow what became of its intent."""
    session = store.find("checkout.session", intent.get("_session") or "")
    if session is None:
        return
    if session["status"] == "open":
        if intent["status"] == "succeeded":
            _complete(session, payment_status="paid")
        elif intent["status"] in ("processing", "requires_capture"):
            _complete(session, payment_status="unpaid")
    elif session["status"] == "complete" and session["payment_status"] == "unpaid":
        if intent["status"] == "succeeded":
            session["payment_status"] = "paid"
            store.save(session)
            emit("checkout.session.async_payment_succeeded", session, is_automatic=True)
        elif intent["status"] == "requires_payment_method":
            emit("checkout.session.async_payment_failed", session, is_automatic=True)


def _complete(session: Body, *, payment_status: str) -> None:
    session |= {"status": "complete", "payment_status": payment_status, "url": None}
    store.save(session)
    schedule.unschedule("expire_session", session["id"])
    emit("checkout.session.completed", session, is_automatic=True)


@step("answer_debit")
def bank_answers(intent_id: str) -> None:
    """The bank's answer to a debit reaches the intent and then its session."""
    intent = store.fetch("payment_intent", intent_id)
    if intent["status"] == "processing":
        follow_intent(answer_debit(intent).intent)


@step("expire_session")
def expire_when_due(session_id: str) -> None:
    """A session's time is over; one whose buyer is at the bank's page just now is given a little longer."""
    session = store.fetch("checkout.session", session_id)
    if session["status"] != "open":
        return
    intent = store.find("payment_intent", session["payment_intent"] or "")
    if intent and intent["status"] in ("requires_action", "processing"):
        schedule.schedule("expire_session", session_id, at=clock.precise_now() + BUSY_RETRY_SECONDS)
        return
    expire_session(session)


def expire_session(session: Body) -> Body:
    """Close an unpaid session and cancel the intent an earlier attempt left behind."""
    if session["status"] != "open":
        raise unexpected_state(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f'"{session["status"]}".',
            code="checkout_session_unexpected_state",
        )
    session |= {"status": "expired", "payment_status": "unpaid", "url": None}
    store.save(session)
    schedule.unschedule("expire_session", session["id"])
    intent = store.find("payment_intent", session["payment_intent"] or "")
    if intent and intent["status"] not in ("succeeded", "canceled"):
        cancel_intent(intent, reason="automatic", is_automatic=True)
    emit("checkout.session.expired", session, is_automatic=True)
    return session


def page_address(session_id: str) -> str:
    """Where the buyer pays."""
    return f"{options().public_url}/c/pay/{session_id}"


def success_address(session: Body) -> str:
    """Where the buyer goes after paying; the placeholder is filled in only here (docs: "Customize the success page")."""
    address: str = session["success_url"] or page_address(session["id"])
    return address.replace("{CHECKOUT_SESSION_ID}", session["id"])
