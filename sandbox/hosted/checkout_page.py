"""The page a buyer pays on: `/c/pay/<session>`."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from sandbox import store
from sandbox.checkout.sessions import pay_session, success_address
from sandbox.hosted.pay_form import COUNTRIES, PayForm
from sandbox.payments.test_cards import GROUPS
from sandbox.payments.test_ibans import TEST_IBANS
from sandbox.protocol import origin
from sandbox.store import Body

SEE_OTHER = 303
AUTHENTICATION_FAILED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


def page(request: HttpRequest, session_id: str) -> HttpResponse:
    """Show the form, or take the payment."""
    store.act_for(None)
    session = store.find("checkout.session", session_id)
    if session is None:
        return render(request, "sandbox/page_missing.html", status=404)
    email = _known_email(session)
    if request.method == "POST":
        return _pay(request, session_id, PayForm.read(request.POST, email=email))
    if session["status"] != "open":
        return _ended(request, session)
    intent = _intent_of(session)
    if intent and intent["status"] == "requires_action":
        return _see_other(f"/3ds/{intent['id']}")
    form = PayForm.read(request.GET, email=email)
    failure = request.GET.get("failed") and intent and intent["last_payment_error"]
    if failure:
        is_unauthenticated = failure["code"] == "payment_intent_authentication_failure"
        form.errors["cardNumber"] = AUTHENTICATION_FAILED if is_unauthenticated else failure["message"]
    return _form_page(request, session, form)


def _pay(request: HttpRequest, session_id: str, form: PayForm) -> HttpResponse:
    """Take the payment once: the session is read again inside the lock, so a second click finds it paid."""
    with store.writing():
        origin.begin()
        session = store.fetch("checkout.session", session_id)
        if session["status"] != "open":
            return _ended(request, session)
        intent = _intent_of(session)
        if intent is None or intent["status"] != "requires_action":
            intent = _attempt(session, form)
        if form.errors:
            return _form_page(request, session, form)
    if intent and intent["status"] == "requires_action":
        return _see_other(f"/3ds/{intent['id']}")
    return _see_other(success_address(session))


def _attempt(session: Body, form: PayForm) -> Body | None:
    """One attempt with what was typed. The intent, if there was one to make; reasons to try again go to the form."""
    is_free = session["amount_total"] == 0
    if not form.check(is_free=is_free):
        return None
    method = None if is_free else form.payment_method()
    if form.errors:
        return None
    attempt = pay_session(session, method, form.buyer)
    if attempt and attempt.error:
        form.blame(attempt.error)
    return attempt.intent if attempt else None


def _form_page(request: HttpRequest, session: Body, form: PayForm) -> HttpResponse:
    types = session["payment_method_types"]
    context = {
        "session": session,
        "items": session["_line_items"],
        "form": form,
        "known_email": _known_email(session),
        "takes_card": "card" in types,
        "takes_sepa": "sepa_debit" in types,
        "takes_both": len(types) > 1,
        "chosen": form.values["method"] if form.values["method"] in types else types[0],
        "countries": COUNTRIES,
        "card_groups": GROUPS,
        "ibans": TEST_IBANS,
        "is_free": session["amount_total"] == 0,
    }
    return render(request, "sandbox/checkout_pay.html", context, status=422 if form.errors else 200)


def _ended(request: HttpRequest, session: Body) -> HttpResponse:
    """Paid sessions lead on to the shop; expired ones say so."""
    if session["status"] == "complete" and request.method == "POST":
        return _see_other(success_address(session))
    context = {"session": session, "success_address": success_address(session)}
    return render(request, "sandbox/checkout_ended.html", context)


def _intent_of(session: Body) -> Body | None:
    return store.find("payment_intent", session["payment_intent"]) if session["payment_intent"] else None


def _known_email(session: Body) -> str | None:
    details = session["customer_details"] or {}
    return session["customer_email"] or (details.get("email") if session["customer"] else None)


def _see_other(address: str) -> HttpResponse:
    return HttpResponseRedirect(address, status=SEE_OTHER)
