"""The pages on which people change, cancel and resume their subscription. Each works without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import date as written_date
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.confirmation_page import ask_first
from jobs.models import WorkPostponed
from payments.evidence import PaymentDisagrees
from payments.stripe_api import StripeRefused, StripeUnreachable
from subscriptions import changing
from subscriptions.models import PlanPrice, Subscription

log = structlog.get_logger()
View = Callable[..., HttpResponse]


def _of_own_subscription(view: View) -> View:
    """Hand the view the person's subscription, and turn what can go wrong at Stripe into a message."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        row = (
            Subscription.objects.live()
            .select_related("user", "price__plan", "next_price__plan")
            .filter(user=request.user.pk)
            .first()
        )
        if row is None:
            messages.info(request, "You have no subscription.")
            return redirect("subscriptions:mine")
        try:
            return view(request, row, *args, **kwargs)
        except changing.CannotChange as problem:
            messages.warning(request, str(problem))
        except WorkPostponed:
            messages.info(request, "Done. This page shows it in a moment.")
        except (StripeUnreachable, StripeRefused, PaymentDisagrees) as problem:
            log.warning("subscription_not_changed", subscription=row.pk, problem=repr(problem))
            messages.error(request, "Our payment provider does not answer. Please try again in a minute.")
        return redirect("subscriptions:mine")

    return never_cache(login_required(wrapped))


@_of_own_subscription
@require_safe
def show_changes(request: HttpRequest, row: Subscription) -> HttpResponse:
    """The plans to change to, and when each would apply."""
    choices = [(price, changing.is_dearer(row, price)) for price in changing.prices_to_change_to(row)]
    return render(request, "subscriptions/change_list.html", {"subscription": row, "choices": choices})


@_of_own_subscription
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, row: Subscription, price_id: int) -> HttpResponse:
    """Show what a change costs now and later, and make it."""
    price = get_object_or_404(PlanPrice.objects.select_related("plan"), pk=price_id)
    if request.method == "POST":
        agreed = _number(request.POST.get("agreed", ""))
        at = _number(request.POST.get("at", "")) or 0
        try:
            changing.change_plan(row, price, proration_at=at, agreed_minor=agreed)
        except changing.PreviewOutdated:
            messages.info(request, "The amount has changed since it was shown. Please look at it again.")
        else:
            messages.success(request, "Your plan is changed.")
            return redirect("subscriptions:mine")
    planned = changing.plan_change(row, price)
    return render(
        request, "subscriptions/change_confirm.html", {"subscription": row, "planned": planned, "price": price}
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None  # noqa: PLR2004  # as many digits as amounts have


@_of_own_subscription
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, row: Subscription) -> HttpResponse:
    """Ask, and cancel for the end of the period; at once what is not paid."""
    is_unpaid = row.status == Subscription.Status.PAST_DUE
    if request.method != "POST":
        until = written_date(row.period_ends_at, "j F Y")
        return ask_first(
            request,
            question=f"Cancel {row.plan.name}?",
            consequence="It ends at once, and the open invoice is withdrawn."
            if is_unpaid
            else f"You keep everything until {until}. Nothing is charged after that, and you can resume until then.",
            action="Cancel subscription",
            back=reverse("subscriptions:mine"),
        )
    changing.cancel_subscription(row)
    messages.success(request, "Your subscription is cancelled.")
    return redirect("subscriptions:mine")


@_of_own_subscription
@require_POST
def resume(request: HttpRequest, row: Subscription) -> HttpResponse:
    """Withdraw the cancellation."""
    changing.resume_subscription(row)
    messages.success(request, "Your subscription goes on.")
    return redirect("subscriptions:mine")


@_of_own_subscription
@require_POST
def go_to_portal(_request: HttpRequest, row: Subscription) -> HttpResponse:
    """Redirect to Stripe's page for cards and invoices."""
    return redirect(changing.open_portal(row))
