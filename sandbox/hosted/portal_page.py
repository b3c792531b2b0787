"""The billing portal at `/p/session/<token>`, where customers manage their subscriptions and cards."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from sandbox import store
from sandbox.billing import subscribing
from sandbox.hosted.checkout_page import see_other
from sandbox.hosted.portal_card import CardForm
from sandbox.hosted.portal_context import flow_context, home_context
from sandbox.models import StoredObject
from sandbox.portal import actions
from sandbox.portal.sessions import KIND, is_over
from sandbox.protocol import origin
from sandbox.protocol.errors import ApiError
from sandbox.store import Body

VIEWS = ("cancel", "change", "card")
VIEW_OF_FLOW = {
    "payment_method_update": "card",
    "subscription_cancel": "cancel",
    "subscription_update": "change",
    "subscription_update_confirm": "change",
}


def page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the portal, or perform the customer's action."""
    session = _find(token)
    if session is None:
        return render(request, "sandbox/page_missing.html", status=404)
    if is_over(session) or store.fetch("customer", session["customer"]).get("deleted"):
        return render(request, "sandbox/portal_ended.html", {"session": session}, status=410)
    if request.method == "POST":
        return _act(request, session)
    view, subscription = _requested_view(request, session)
    return _show(request, session, view, subscription)


def _find(token: str) -> Body | None:
    """The session with this token, or None; sets the acting account to the session's."""
    row = StoredObject.objects.filter(kind=KIND, body___token=token).first()
    if row is None:
        return None
    store.act_for(row.account)
    return dict(row.body)


def _requested_view(request: HttpRequest, session: Body) -> tuple[str, str]:
    """The requested view and subscription: from the query string, or else from the session's flow."""
    for view in VIEWS:
        if view in request.GET:
            return view, request.GET[view]
    flow = session["flow"]
    if flow and "home" not in request.GET and not session.get("_is_flow_done"):
        view = VIEW_OF_FLOW.get(flow["type"], "home")
        return view, (flow.get(flow["type"]) or {}).get("subscription", "")
    return "home", ""


def _show(
    request: HttpRequest, session: Body, view: str, subscription_id: str, extra: dict[str, Any] | None = None
) -> HttpResponse:
    has_errors = bool((extra or {}).get("error") or (extra or {}).get("form"))
    try:
        context = home_context(session) if view == "home" else flow_context(session, view, subscription_id)
    except actions.NotAllowed:
        view, context = "home", home_context(session)
    template = f"sandbox/portal_{view}.html"
    context |= {"done": request.GET.get("done", "")} | (extra or {})
    return render(request, template, context, status=422 if has_errors else 200)


def _act(request: HttpRequest, session: Body) -> HttpResponse:
    """Perform the action, then redirect to a page with a message."""
    pressed = request.POST.get("do", "")
    action = ACTIONS.get(pressed)
    if action is None:
        return see_other(_address(session))
    try:
        with store.writing():
            origin.begin()
            configuration = store.fetch("billing_portal.configuration", session["configuration"])
            return action(request, session, configuration)
    except actions.NotAllowed:
        return see_other(_address(session))
    except ApiError as error:
        return _show(request, session, "home", "", {"error": error.message})


def _address(session: Body, **query: str) -> str:
    return f"/p/session/{session['_token']}" + (f"?{urlencode(query)}" if query else "")


def _finish(session: Body, done: str) -> HttpResponse:
    """Redirect after an action: a flow's first one to the shop or a confirmation, others to the portal."""
    flow = session["flow"]
    if flow and not session.get("_is_flow_done"):
        store.save(session | {"_is_flow_done": True})
        after = flow["after_completion"]
        if after["type"] == "redirect":
            return see_other(after["redirect"]["return_url"])
        if after["type"] == "hosted_confirmation":
            return see_other(_address(session, done="flow"))
    return see_other(_address(session, done=done))


def _cancel(request: HttpRequest, session: Body, configuration: Body) -> HttpResponse:
    subscription = actions.subscription_of(session, request.POST.get("subscription", ""))
    actions.end_subscription(
        configuration,
        subscription,
        feedback=request.POST.get("feedback", ""),
        comment=request.POST.get("comment", "").strip(),
    )
    return _finish(session, "cancelled")


def _resume(request: HttpRequest, session: Body, configuration: Body) -> HttpResponse:
    actions.require(configuration, "subscription_cancel")
    subscribing.resume(actions.subscription_of(session, request.POST.get("subscription", "")))
    return _finish(session, "resumed")


def _change(request: HttpRequest, session: Body, configuration: Body) -> HttpResponse:
    subscription = actions.subscription_of(session, request.POST.get("subscription", ""))
    actions.change_plan(configuration, subscription, request.POST.get("price", ""))
    return _finish(session, "changed")


def _add_card(request: HttpRequest, session: Body, configuration: Body) -> HttpResponse:
    form = CardForm.read(request.POST)
    method = form.payment_method()
    if method is None:
        return _show(request, session, "card", "", {"form": form})
    try:
        back = _absolute(request, _address(session, done="card"))
        intent = actions.add_method(configuration, session, method, return_url=back)
    except ApiError as error:
        form.show_error(error)
        return _show(request, session, "card", "", {"form": form})
    if intent["status"] == "requires_action":
        return see_other(f"/3ds/{intent['id']}")
    return _finish(session, "card")


def _absolute(request: HttpRequest, path: str) -> str:
    return request.build_absolute_uri(path)


def _default_card(request: HttpRequest, session: Body, configuration: Body) -> HttpResponse:
    actions.require(configuration, "payment_method_update")
    method = actions.own_method(session, request.POST.get("method", ""))
    actions.make_default(store.fetch("customer", session["customer"]), method["id"])
    return _finish(session, "default")


def _remove_card(request: HttpRequest, session: Body, configuration: Body) -> HttpResponse:
    actions.remove_method(configuration, session, request.POST.get("method", ""))
    return _finish(session, "removed")


def _details(request: HttpRequest, session: Body, configuration: Body) -> HttpResponse:
    given = {name: request.POST[name].strip() or None for name in ("email", "name", "phone") if name in request.POST}
    actions.change_details(configuration, session, given)
    return _finish(session, "details")


ACTIONS: dict[str, Callable[[HttpRequest, Body, Body], HttpResponse]] = {
    "add-card": _add_card,
    "cancel": _cancel,
    "change": _change,
    "default-card": _default_card,
    "details": _details,
    "remove-card": _remove_card,
    "resume": _resume,
}
