"""The bank's page: `/3ds/<payment intent>`, where the buyer passes or fails 3-D Secure."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from sandbox import store
from sandbox.checkout.sessions import follow_intent, success_address
from sandbox.payments.intents import finish_authentication
from sandbox.protocol import origin
from sandbox.store import Body

SEE_OTHER = 303


def page(request: HttpRequest, intent_id: str) -> HttpResponse:
    """Ask, or act on the answer."""
    store.act_for(None)
    intent = store.find("payment_intent", intent_id)
    if intent is None:
        return render(request, "sandbox/page_missing.html", status=404)
    if request.method == "POST":
        return HttpResponseRedirect(_finish(intent_id, passed=request.POST.get("outcome") == "pass"), status=SEE_OTHER)
    context = {"intent": intent, "is_waiting": intent["status"] == "requires_action", "next": _next(intent, intent)}
    return render(request, "sandbox/authentication_ask.html", context)


def _finish(intent_id: str, *, passed: bool) -> str:
    """Apply the answer once; a second one changes nothing. Returns where the buyer goes."""
    with store.writing():
        origin.begin()
        intent = store.fetch("payment_intent", intent_id)
        before = dict(intent)
        if intent["status"] == "requires_action":
            attempt = finish_authentication(intent, passed=passed)
            follow_intent(attempt.intent)
            intent = attempt.intent
        return _next(intent, before)


def _next(intent: Body, before: Body) -> str:
    session = store.find("checkout.session", intent.get("_session") or "")
    if session:
        is_over = session["status"] != "open"
        return success_address(session) if is_over else f"/c/pay/{session['id']}?failed=1"
    action = before["next_action"] or {}
    return_url = action.get("redirect_to_url", {}).get("return_url")
    if not return_url:
        return "/"
    status = "succeeded" if intent["status"] in ("succeeded", "requires_capture") else "failed"
    query = {
        "payment_intent": intent["id"],
        "payment_intent_client_secret": intent["client_secret"],
        "redirect_status": status,
    }
    return f"{return_url}{'&' if '?' in return_url else '?'}{urlencode(query)}"
