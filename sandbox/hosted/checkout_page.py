"""The Checkout page at `/c/pay/<session>`."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from sandbox import store
from sandbox.checkout.paying import pay_session
from sandbox.checkout.sessions import intent_of, recover_session, success_address
from sandbox.hosted.asked import asked_by, is_method_needed
from sandbox.hosted.checkout_changes import apply_changes, is_only_change
from sandbox.hosted.checkout_context import page_context
from sandbox.hosted.merchant import merchant_of
from sandbox.hosted.pay_form import PayForm
from sandbox.protocol import origin
from sandbox.store import Body

SEE_OTHER = 303
AUTHENTICATION_FAILED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


def page(request: HttpRequest, session_id: str) -> HttpResponse:
    """Show the form, or process the payment."""
    session = find_session(session_id)
    if session is None:
        return render(request, "sandbox/page_missing.html", status=404)
    if request.method == "POST":
        return _act(request, session_id)
    if session["status"] != "open":
        return _ended(request, session)
    intent = intent_of(session)
    if intent and intent["status"] == "requires_action":
        return see_other(f"/3ds/{intent['id']}")
    form = PayForm.read(request.GET, asked_by(session))
    failure = request.GET.get("failed") and intent and _failure_of(intent)
    if failure:
        is_unauthenticated = failure["code"].endswith("_authentication_failure")
        message = AUTHENTICATION_FAILED if is_unauthenticated else failure["message"]
        form.errors["cardNumber" if form.values["method"] == "card" else "method"] = message
    return _form_page(request, session, form)


def find_session(session_id: str) -> Body | None:
    """The session, or None; sets the acting account to the session's."""
    store.act_for(None)
    try:
        store.act_for(store.owner_of(session_id))
    except store.NotStored:
        return None
    return store.find("checkout.session", session_id)


def _failure_of(intent: Body) -> Body | None:
    failure: Body | None = intent.get("last_payment_error") or intent.get("last_setup_error")
    return failure


def _act(request: HttpRequest, session_id: str) -> HttpResponse:
    """Process the payment once: the session is read again inside the lock, so a second click finds it paid."""
    with store.writing():
        origin.begin()
        session = store.fetch("checkout.session", session_id)
        if session["status"] != "open":
            return _ended(request, session)
        form = PayForm.read(request.POST, asked_by(session))
        intent = intent_of(session)
        if intent is None or intent["status"] != "requires_action":
            has_changed = apply_changes(session, form, request.POST)
            if has_changed or is_only_change(request.POST):
                return _form_page(request, session, form)
            _attempt(session, form)
            if form.errors:
                return _form_page(request, session, form)
            intent = intent_of(store.fetch("checkout.session", session_id))
    if intent and intent["status"] == "requires_action":
        return see_other(f"/3ds/{intent['id']}")
    return see_other(success_address(session))


def _attempt(session: Body, form: PayForm) -> None:
    """Try to pay with the form's data; problems are added to the form's errors."""
    if not form.check():
        return
    method = form.payment_method() if is_method_needed(session) else None
    if form.errors:
        return
    attempt = pay_session(session, method, form.buyer)
    if attempt and attempt.error:
        form.show_error(attempt.error)


def _form_page(request: HttpRequest, session: Body, form: PayForm) -> HttpResponse:
    context = page_context(session, form)
    return render(request, "sandbox/checkout_pay.html", context, status=422 if form.errors else 200)


def _ended(request: HttpRequest, session: Body) -> HttpResponse:
    """The page of a session that is no longer open; after a POST, a complete one redirects to the shop."""
    if session["status"] == "complete" and request.method == "POST":
        return see_other(success_address(session))
    recovery = (session["after_expiration"] or {}).get("recovery") or {}
    context = {
        "merchant": merchant_of(session.get("_payment_intent_data")),
        "session": session,
        "success_address": success_address(session),
        "recovery_address": recovery.get("url") if session["status"] == "expired" else None,
    }
    return render(request, "sandbox/checkout_ended.html", context)


def recover(request: HttpRequest, session_id: str) -> HttpResponse:
    """Open a new session like an expired one, at `/c/recover/<session>`."""
    session = find_session(session_id)
    if session is None:
        return render(request, "sandbox/page_missing.html", status=404)
    with store.writing():
        origin.begin()
        again = recover_session(session)
    if again is None:
        return _ended(request, session)
    return see_other(f"/c/pay/{again['id']}")


def see_other(address: str) -> HttpResponse:
    """Redirect with 303, so that the browser follows with a GET."""
    return HttpResponseRedirect(address, status=SEE_OTHER)
