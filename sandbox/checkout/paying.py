"""Paying a session in any mode, and following its intent (docs: "How Checkout works")."""

from sandbox import store
from sandbox.billing.invoices import subscription_of
from sandbox.checkout import subscribing
from sandbox.checkout.buyers import Buyer, ensure_customer, write_buyer
from sandbox.checkout.sessions import complete_session, emit_late_payment, require_open, success_address
from sandbox.payments import intents, setups
from sandbox.payments.attempts import Attempt
from sandbox.payments.followers import call_followers, follows_intents
from sandbox.store import Body

KEPT_FOR_LATER, SHOWN_AGAIN = "limited", "always"


def pay_session(session: Body, method: Body | None, buyer: Buyer) -> Attempt | None:
    """One attempt to complete an open session. None if there was nothing to pay or set up.

    A declined attempt leaves the session open; the next one uses the same intent.
    """
    require_open(session)
    write_buyer(session, buyer)
    ensure_customer(session, buyer)
    store.save(session)
    if method and buyer.saves_method and not method["customer"]:
        store.save(method | {"allow_redisplay": SHOWN_AGAIN})
        method["allow_redisplay"] = SHOWN_AGAIN
    ways = {"payment": _pay, "setup": _set_up, "subscription": subscribing.subscribe}
    attempt = ways[session["mode"]](session, method, buyer)
    _refresh(session)
    return attempt


def _refresh(session: Body) -> None:
    stored = store.fetch("checkout.session", session["id"])
    session.clear()
    session.update(stored)


def _pay(session: Body, method: Body | None, buyer: Buyer) -> Attempt | None:
    if session["amount_total"] == 0 or method is None:
        complete_session(session, payment_status="no_payment_required")
        return None
    intent = _intent_of(session)
    usage = session["_payment_intent_data"].get("setup_future_usage")
    intent["setup_future_usage"] = usage or ("on_session" if buyer.saves_method and session["customer"] else None)
    keep_for_later(method, intents.future_usage(intent, method))
    store.save(session)
    attempt = intents.confirm_intent(intent, method, return_url=success_address(session))
    call_followers(attempt.intent)
    return attempt


def keep_for_later(method: Body, usage: str | None) -> None:
    """Save a method. One saved for the shop alone is not shown to the buyer again (docs: "Saved payment methods")."""
    if usage and not method["customer"] and method["allow_redisplay"] == "unspecified":
        method["allow_redisplay"] = KEPT_FOR_LATER
        store.save(method)


def _intent_of(session: Body) -> Body:
    """The session's intent, created when the buyer first confirms, and updated to the present amount."""
    details: Body = {"tax": {"total_tax_amount": session["total_details"]["amount_tax"]}}
    if session["payment_intent"]:
        intent = store.fetch("payment_intent", session["payment_intent"])
        intent |= {"amount": session["amount_total"], "customer": session["customer"]}
        intent["amount_details"] = intent["amount_details"] | details
        return intent
    shipping = {"amount": 0, "from_postal_code": None, "to_postal_code": None}
    types = session["payment_method_types"]
    intent = intents.create_intent(
        amount=session["amount_total"],
        currency=session["currency"],
        customer=session["customer"],
        payment_method_types=types,
        payment_method_options=intents.method_options(types, session["payment_method_options"]),
        payment_details={"customer_reference": None, "order_reference": session["id"]},
        amount_details={"shipping": shipping, "tip": {}} | details,
        _session=session["id"],
        **session["_payment_intent_data"],
    )
    session["payment_intent"] = intent["id"]
    return intent


def _set_up(session: Body, method: Body | None, _buyer: Buyer) -> Attempt | None:
    if method is None:
        return None
    intent = store.fetch("setup_intent", session["setup_intent"])
    intent["customer"] = session["customer"]
    keep_for_later(method, "off_session")
    attempt = setups.confirm_setup_intent(intent, method, return_url=success_address(session))
    call_followers(attempt.intent)
    return attempt


@follows_intents
def follow_intent(intent: Body) -> None:
    """Update a session from its intent, or its subscription's."""
    session = session_of(intent)
    if session is None or session["status"] == "expired":
        return
    if session["mode"] == "subscription":
        subscribing.follow(session, intent)
    elif session["status"] == "open":
        _follow_open(session, intent)
    elif session["payment_status"] == "unpaid":
        _follow_complete(session, intent)


def session_of(intent: Body) -> Body | None:
    """The session an intent was made for, by itself or by the first invoice of its subscription."""
    if intent.get("_session"):
        return store.find("checkout.session", intent["_session"])
    invoice = store.find("invoice", intent.get("_invoice") or "")
    subscription = store.find("subscription", subscription_of(invoice) or "") if invoice else None
    if subscription is None or subscription["latest_invoice"] != intent.get("_invoice"):
        return None
    return store.find("checkout.session", subscription.get("_session") or "")


def _follow_open(session: Body, intent: Body) -> None:
    if intent["status"] == "succeeded":
        complete_session(session, payment_status="no_payment_required" if session["mode"] == "setup" else "paid")
    elif intent["status"] in ("processing", "requires_capture"):
        complete_session(session, payment_status="unpaid")


def _follow_complete(session: Body, intent: Body) -> None:
    is_bank_debit = (intent["latest_charge"] or "").startswith("py_")
    if intent["status"] == "succeeded" and is_bank_debit:
        emit_late_payment(session, succeeded=True)
    elif intent["status"] == "succeeded":
        # A card that was only authorised: capturing it makes the session paid, without an event.
        store.save(session | {"payment_status": "paid"})
    elif intent["status"] == "requires_payment_method":
        emit_late_payment(session, succeeded=False)
