"""The bank's page at `/3ds/<payment or setup intent>`, where the buyer passes or fails 3-D Secure."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from sandbox import store
from sandbox.checkout.paying import session_of
from sandbox.checkout.sessions import success_address
from sandbox.hosted.merchant import merchant_of
from sandbox.payments.followers import call_followers
from sandbox.payments.intents import finish_authentication
from sandbox.payments.setups import finish_setup_authentication
from sandbox.protocol import origin
from sandbox.store import Body

SEE_OTHER = 303
SUCCESSFUL = ("succeeded", "requires_capture", "requires_confirmation", "processing")


def find_intent(intent_id: str) -> Body | None:
    """A payment or setup intent, or None; sets the acting account to the intent's."""
    store.act_for(None)
    try:
        store.act_for(store.owner_of(intent_id))
    except store.NotStored:
        return None
    return store.find("payment_intent", intent_id) or store.find("setup_intent", intent_id)


def page(request: HttpRequest, intent_id: str) -> HttpResponse:
    """Show the choice, or apply the buyer's answer."""
    intent = find_intent(intent_id)
    if intent is None:
        return render(request, "sandbox/page_missing.html", status=404)
    if request.method == "POST":
        passed = request.POST.get("outcome") == "pass"
        return HttpResponseRedirect(_finish(intent, passed=passed), status=SEE_OTHER)
    context = {
        "intent": intent,
        "is_waiting": _is_waiting(intent),
        "merchant": merchant_of(intent),
        "next": next_address(intent, intent),
    }
    return render(request, "sandbox/authentication_ask.html", context)


def _is_waiting(intent: Body) -> bool:
    kind = (intent["next_action"] or {}).get("type")
    return intent["status"] == "requires_action" and kind in ("redirect_to_url", "use_stripe_sdk")


def _finish(shown: Body, *, passed: bool) -> str:
    """Apply the answer once; a repeated answer changes nothing. Returns the next URL for the buyer."""
    with store.writing():
        origin.begin()
        intent = store.fetch(shown["object"], shown["id"])
        before = dict(intent)
        if _is_waiting(intent):
            finish = finish_authentication if intent["object"] == "payment_intent" else finish_setup_authentication
            intent = finish(intent, passed=passed).intent
            call_followers(intent)
        return next_address(intent, before)


def next_address(intent: Body, before: Body) -> str:
    """The next URL for the buyer: the session's success URL or page, or the intent's `return_url`."""
    session = session_of(intent)
    if session:
        is_over = session["status"] != "open"
        return success_address(session) if is_over else f"/c/pay/{session['id']}?failed=1"
    action = before["next_action"] or {}
    return_url = action.get("redirect_to_url", {}).get("return_url")
    if not return_url:
        return "/"
    query = {
        intent["object"]: intent["id"],
        f"{intent['object']}_client_secret": intent["client_secret"],
        "redirect_status": "succeeded" if intent["status"] in SUCCESSFUL else "failed",
    }
    return f"{return_url}{'&' if '?' in return_url else '?'}{urlencode(query)}"
