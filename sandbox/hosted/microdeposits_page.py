"""The page at `/microdeposits/<intent>`, where the buyer enters the code of the microdeposits."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from sandbox import store
from sandbox.hosted.authentication_page import SEE_OTHER, find_intent, next_address
from sandbox.payments.followers import call_followers
from sandbox.payments.microdeposits import RIGHT_CODE, verify
from sandbox.protocol import origin
from sandbox.protocol.errors import ApiError


def page(request: HttpRequest, intent_id: str) -> HttpResponse:
    """Show the form, or verify the code."""
    intent = find_intent(intent_id)
    if intent is None:
        return render(request, "sandbox/page_missing.html", status=404)
    action = (intent["next_action"] or {}).get("type")
    context = {"is_waiting": action == "verify_with_microdeposits", "right_code": RIGHT_CODE, "error": ""}
    if request.method == "POST" and context["is_waiting"]:
        try:
            with store.writing():
                origin.begin()
                attempt = verify(intent, amounts=None, descriptor_code=request.POST.get("descriptorCode") or None)
                call_followers(attempt.intent)
            return HttpResponseRedirect(next_address(attempt.intent, intent), status=SEE_OTHER)
        except ApiError as error:
            context["error"] = error.message
    return render(request, "sandbox/microdeposits.html", context, status=422 if context["error"] else 200)
