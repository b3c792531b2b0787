"""The pages where people make endpoints and see what was sent to them."""

from __future__ import annotations

from typing import cast

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.confirmation_page import ask_first
from accounts.models import User
from accounts.staff_gate import has_used_second_factor
from webhooks import endpoints
from webhooks.endpoints import EndpointRefused
from webhooks.forms import EndpointForm, ReplayForm, RotateForm
from webhooks.messages import payload_of
from webhooks.models import Delivery, Endpoint
from webhooks.permissions import may_see_everything
from webhooks.replaying import ReplayRefused, replay_delivery, replay_since

_PER_PAGE = 25


@login_required
@never_cache
@require_safe
def list_endpoints(request: HttpRequest) -> HttpResponse:
    """All endpoints of the reader, with how many messages of each wait or were given up."""
    counted = Endpoint.objects.filter(user=cast("User", request.user)).annotate(
        waiting=Count("deliveries", filter=Q(deliveries__state__in=["waiting", "running"])),
        given_up=Count("deliveries", filter=Q(deliveries__state="parked")),
    )
    return render(request, "webhooks/endpoint_list.html", {"endpoints": counted})


@login_required
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth has no types
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("secret")
def new_endpoint(request: HttpRequest) -> HttpResponse:
    """Make an endpoint. Its secret is in this one answer and nowhere else, so the page does not redirect."""
    user = cast("User", request.user)
    is_for_all = _may_choose_everything(request)
    form = EndpointForm(
        request.POST or None,
        event_types=endpoints.event_types_for(user, sees_everything=is_for_all),
        may_see_everything=is_for_all,
    )
    if request.method == "POST" and form.is_valid():
        try:
            endpoint, secret = endpoints.create_endpoint(user=user, **form.cleaned_data)
        except EndpointRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return _show_secret(request, endpoint, secret)
    return _form_page(request, "webhooks/endpoint_new.html", form)


@login_required
@never_cache
@require_safe
def show_endpoint(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """One endpoint with its latest deliveries."""
    endpoint = _own(request, endpoint_id)
    deliveries = endpoint.deliveries.select_related("event").order_by("-created_at", "-pk")
    state = request.GET.get("state", "")
    if state in Delivery.State.values:
        deliveries = deliveries.filter(state=state)
    page = Paginator(deliveries, _PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "endpoint": endpoint,
        "page": page,
        "state": state,
        "states": Delivery.State.choices,
        "replay": ReplayForm(),
    }
    return render(request, "webhooks/endpoint.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit_endpoint(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Change address, events and description."""
    endpoint = _own(request, endpoint_id)
    initial = {"url": endpoint.url, "description": endpoint.description, "event_types": endpoint.event_types}
    event_types = endpoints.event_types_for(endpoint.user, sees_everything=endpoint.sees_everything)
    form = EndpointForm(request.POST or None, event_types=event_types, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            endpoints.change_endpoint(endpoint_id=endpoint.pk, **form.cleaned_data)
        except EndpointRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The endpoint is changed.")
            return _back_to(endpoint)
    return _form_page(request, "webhooks/endpoint_edit.html", form, endpoint=endpoint)


@login_required
@require_POST
def switch_endpoint(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Switch an endpoint on, or off."""
    endpoint = _own(request, endpoint_id)
    if request.POST.get("to") == "on":
        endpoints.enable_endpoint(endpoint.pk)
        messages.success(request, "The endpoint is on. What happened meanwhile can be sent again below.")
    else:
        endpoints.switch_off_endpoint(endpoint.pk)
        messages.success(request, "The endpoint is off. Messages are kept, so that you can have them sent later.")
    return _back_to(endpoint)


@login_required
@require_POST
def test_endpoint(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Send a test message."""
    endpoint = _own(request, endpoint_id)
    try:
        endpoints.send_test(endpoint.pk)
    except EndpointRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "A test message is on its way. Reload this page to see what your server answered.")
    return _back_to(endpoint)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rotate_secret(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Make a new secret, for which the password is asked for again: but another person's endpoint is a 404."""
    answer: HttpResponse = _rotate_own(request, _own(request, endpoint_id))
    return answer


@reauthentication_required  # type: ignore[untyped-decorator]  # allauth has no types
@sensitive_variables("secret")
def _rotate_own(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    """The secret is in this one answer and nowhere else."""
    form = RotateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            secret = endpoints.rotate_secret(endpoint_id=endpoint.pk, **form.cleaned_data)
        except EndpointRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return _show_secret(request, endpoint, secret)
    return _form_page(request, "webhooks/secret_rotate.html", form, endpoint=endpoint)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_endpoint(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Delete an endpoint, after asking."""
    endpoint = _own(request, endpoint_id)
    if request.method != "POST":
        return ask_first(
            request,
            question=f"Delete “{endpoint}”?",
            consequence="Nothing is sent to it any more, and what was sent to it can no longer be seen.",
            action="Delete this endpoint",
            back=reverse("webhooks:endpoint", args=[endpoint.pk]),
        )
    endpoints.delete_endpoint(endpoint.pk)
    messages.success(request, "The endpoint is deleted.")
    return redirect("webhooks:endpoints")


@login_required
@require_POST
def replay_all(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Send messages since a moment again."""
    endpoint = _own(request, endpoint_id)
    form = ReplayForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose from when on, and which messages.")
        return _back_to(endpoint)
    try:
        count = replay_since(endpoint_id=endpoint.pk, since=form.moment, only_failed=form.cleaned_data["only_failed"])
    except ReplayRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{count} message{'' if count == 1 else 's'} will be sent again.")
    return _back_to(endpoint)


@login_required
@never_cache
@require_safe
def show_delivery(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """One delivery: what was sent, and what came of it."""
    delivery = _own_delivery(request, delivery_id)
    return render(request, "webhooks/delivery.html", {"delivery": delivery, "payload": payload_of(delivery.event)})


@login_required
@require_POST
def replay_one(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Send one message again."""
    delivery = _own_delivery(request, delivery_id)
    try:
        replay_delivery(delivery)
    except ReplayRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The message will be sent again.")
    return redirect("webhooks:delivery", delivery.pk)


def _may_choose_everything(request: HttpRequest) -> bool:
    """Whether the reader could enter the admin as one who may see the events of all people."""
    has_entered = not settings.STAFF_NEEDS_MFA or has_used_second_factor(request)
    return has_entered and may_see_everything(cast("User", request.user))


def _own(request: HttpRequest, endpoint_id: int) -> Endpoint:
    return get_object_or_404(Endpoint, pk=endpoint_id, user=cast("User", request.user))


def _own_delivery(request: HttpRequest, delivery_id: int) -> Delivery:
    own = Delivery.objects.select_related("event", "endpoint").filter(endpoint__user=cast("User", request.user))
    return get_object_or_404(own, pk=delivery_id)


def _back_to(endpoint: Endpoint) -> HttpResponse:
    return redirect("webhooks:endpoint", endpoint.pk)


def _show_secret(request: HttpRequest, endpoint: Endpoint, secret: str) -> HttpResponse:
    return render(request, "webhooks/secret_created.html", {"endpoint": endpoint, "secret": secret})


def _form_page(
    request: HttpRequest, template: str, form: EndpointForm | RotateForm, endpoint: Endpoint | None = None
) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    return render(request, template, {"form": form, "endpoint": endpoint}, status=status)
