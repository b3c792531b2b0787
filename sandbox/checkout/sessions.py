"""The life of a Checkout Session: open, then complete or expired (docs: "How Checkout works")."""

from sandbox import clock, identifiers, schedule, store
from sandbox.billing.renewals import expire
from sandbox.checkout.discounting import redeem_discount
from sandbox.checkout.invoicing import invoice_session
from sandbox.checkout.totals import granted_of
from sandbox.options import options
from sandbox.payments.captures import cancel_intent
from sandbox.payments.setups import CANCELABLE, cancel_setup_intent
from sandbox.protocol.errors import unexpected_state
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit

BUSY_RETRY_SECONDS = 600
RECOVERY_SECONDS = 30 * 24 * 3600


def require_open(session: Body) -> None:
    """Raises when a session can no longer be paid."""
    if session["status"] != "open":
        raise unexpected_state(
            f"This Checkout Session has a status of {session['status']} and can no longer be paid.",
            code="checkout_session_unexpected_state",
        )


def complete_session(session: Body, *, payment_status: str) -> None:
    """Complete a session: redeem its discount, write its invoice, and emit the event."""
    schedule.unschedule("expire_session", session["id"])
    if session["mode"] == "payment":
        redeem_discount(session)
    if payment_status != "unpaid":
        invoice_session(session)
    session |= {"status": "complete", "payment_status": payment_status, "url": None}
    store.save(session)
    emit("checkout.session.completed", session, is_automatic=True)


def emit_late_payment(session: Body, *, succeeded: bool) -> None:
    """Emit the bank's answer that came after the session was complete."""
    if succeeded:
        session["payment_status"] = "paid"
        invoice_session(session)
        store.save(session)
    outcome = "succeeded" if succeeded else "failed"
    emit(f"checkout.session.async_payment_{outcome}", session, is_automatic=True)


@step("expire_session")
def expire_when_due(session_id: str) -> None:
    """Expire a session at its time; one whose buyer is at the bank's page gets a little longer."""
    session = store.fetch("checkout.session", session_id)
    if session["status"] != "open":
        return
    intent = intent_of(session)
    if intent and intent["status"] in ("requires_action", "processing"):
        schedule.schedule("expire_session", session_id, at=clock.precise_now() + BUSY_RETRY_SECONDS)
        return
    expire_session(session)


def intent_of(session: Body) -> Body | None:
    """The payment or setup intent in progress, if there is one."""
    for kind, name in (("payment_intent", session["payment_intent"]), ("setup_intent", _setup_of(session))):
        if name:
            return store.find(kind, name)
    subscription = store.find("subscription", session.get("_subscription") or "")
    invoice = store.find("invoice", subscription["latest_invoice"] or "") if subscription else None
    return store.find("payment_intent", invoice.get("_intent") or "") if invoice else None


def _setup_of(session: Body) -> str | None:
    waiting: str | None = session["setup_intent"] or session.get("_setup_intent")
    return waiting


def expire_session(session: Body) -> Body:
    """Close an unpaid session and cancel what an earlier attempt left open."""
    if session["status"] != "open":
        raise unexpected_state(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f'"{session["status"]}".',
            code="checkout_session_unexpected_state",
        )
    session |= {"status": "expired", "url": None}
    _offer_recovery(session)
    store.save(session)
    schedule.unschedule("expire_session", session["id"])
    _cancel_what_is_left(session)
    emit("checkout.session.expired", session, is_automatic=True)
    return session


def _cancel_what_is_left(session: Body) -> None:
    subscription = store.find("subscription", session.get("_subscription") or "")
    if subscription and subscription["status"] == "incomplete":
        expire(subscription)
        return
    intent = intent_of(session)
    if intent is None or intent["status"] in ("succeeded", "canceled"):
        return
    if intent["object"] == "payment_intent":
        cancel_intent(intent, reason="automatic", is_automatic=True)
    elif intent["status"] in CANCELABLE:
        cancel_setup_intent(intent, reason=None, is_automatic=True)


def _offer_recovery(session: Body) -> None:
    """A link by which the buyer may start again (docs: "Recover abandoned carts")."""
    recovery = (session["after_expiration"] or {}).get("recovery")
    if recovery and recovery["enabled"]:
        recovery |= {
            "expires_at": clock.now() + RECOVERY_SECONDS,
            "url": f"{options().public_url}/c/recover/{session['id']}",
        }


def recover_session(session: Body) -> Body | None:
    """A new copy of an expired session for a buyer who returns; None if it can no longer be recovered."""
    recovery = (session["after_expiration"] or {}).get("recovery")
    if session["status"] != "expired" or not recovery or not recovery["enabled"]:
        return None
    if recovery["expires_at"] <= clock.now():
        return None
    session_id, moment = identifiers.new_id("cs_test_b1", 56), clock.now()
    copy = dict(store.fetch("checkout.session", session["id"])) | {
        "id": session_id,
        "after_expiration": {"recovery": recovery | {"expires_at": None, "url": None}},
        "allow_promotion_codes": recovery["allow_promotion_codes"] or session["allow_promotion_codes"],
        "created": moment,
        "expires_at": moment + 24 * 3600,
        "payment_intent": None,
        "recovered_from": session["id"],
        "status": "open",
        "url": page_address(session_id),
        "_line_items": [item | {"id": identifiers.new_id("li_1", 23)} for item in session["_line_items"]],
        "_subscription": None,
    }
    for item in copy["_line_items"]:
        store.insert({"id": item["id"], "object": "item", "_session": session_id})
    store.insert(copy)
    schedule.schedule("expire_session", session_id, at=copy["expires_at"])
    return copy


def granted_discounts(session: Body) -> list[Body]:
    """The coupon or promotion code with which a subscription starts."""
    granted = granted_of(session)
    return [granted] if granted else []


def page_address(session_id: str) -> str:
    """The address of the payment page."""
    return f"{options().public_url}/c/pay/{session_id}"


def success_address(session: Body) -> str:
    """The address after paying; the placeholder is filled in only here (docs: "Customize the success page")."""
    address: str = session["success_url"] or page_address(session["id"])
    return address.replace("{CHECKOUT_SESSION_ID}", session["id"])
