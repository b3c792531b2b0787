"""A student's saved cards and accounts: see, remove, choose the default, and add one on Stripe's page."""

from __future__ import annotations

from typing import cast

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.confirmation_page import ask_first
from accounts.models import User
from payments.customers import CustomerErased
from payments.models import PaymentMethod
from payments.saved_cards.changes import finish_adding, make_default, remove_method, start_adding
from payments.saved_cards.choosing import MethodUnknown, method_of, methods_of, refresh_for
from payments.stripe_api import StripeRefused, StripeUnreachable

log = structlog.get_logger()

_NO_ANSWER = "Our payment provider does not answer. Please try again in a minute."


@require_GET
@never_cache
@login_required
def list_methods(request: HttpRequest) -> HttpResponse:
    """All that the student saved, as Stripe has it now."""
    is_current = refresh_for(request.user.pk)
    context = {"methods": methods_of(request.user.pk), "is_current": is_current}
    return render(request, "payments/payment_method_list.html", context)


@require_POST
@login_required
def add_method(request: HttpRequest) -> HttpResponse:
    """Lead to the page at Stripe on which a card is saved."""
    try:
        return redirect(start_adding(cast("User", request.user)))
    except (StripeUnreachable, StripeRefused, CustomerErased) as problem:
        return _back(request, problem)


@require_GET
@never_cache
@login_required
def method_added(request: HttpRequest) -> HttpResponse:
    """Where Stripe's page leads afterwards. The card is shown as soon as Stripe has it."""
    try:
        is_added = finish_adding(cast("User", request.user), request.GET.get("session_id", ""))
    except (StripeUnreachable, StripeRefused) as problem:
        return _back(request, problem)
    if is_added:
        messages.success(request, "The card is saved.")
    return redirect("payments:methods")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def remove(request: HttpRequest, method_id: str) -> HttpResponse:
    """Remove a saved card or account, after asking."""
    method = _own_method(request, method_id)
    if request.method != "POST":
        return ask_first(
            request,
            question=f"Remove {method.label}?",
            consequence="You can no longer pay with it here unless you save it again. What you bought with it stays"
            " yours, and refunds still go back to it.",
            action="Remove it",
            back=reverse("payments:methods"),
        )
    try:
        remove_method(method)
    except (StripeUnreachable, StripeRefused) as problem:
        return _back(request, problem)
    messages.success(request, f"{method.label} is removed.")
    return redirect("payments:methods")


@require_POST
@login_required
def choose_default(request: HttpRequest, method_id: str) -> HttpResponse:
    """Make a saved card or account the default."""
    method = _own_method(request, method_id)
    try:
        make_default(method)
    except PaymentMethod.DoesNotExist as gone:
        raise Http404 from gone
    except (StripeUnreachable, StripeRefused) as problem:
        return _back(request, problem)
    messages.success(request, f"{method.label} is now your default.")
    return redirect("payments:methods")


def _own_method(request: HttpRequest, method_id: str) -> PaymentMethod:
    try:
        return method_of(request.user.pk, method_id)
    except MethodUnknown as unknown:
        raise Http404 from unknown


def _back(request: HttpRequest, problem: Exception) -> HttpResponse:
    log.warning("saved_methods_not_changed", problem=repr(problem))
    messages.error(request, _NO_ANSWER)
    return redirect("payments:methods")
