"""The public page of plans, and its buttons."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from catalogue.currencies import display_currency
from payments.customers import CustomerErased
from payments.stripe_api import StripeRefused, StripeUnreachable
from payments.switches import CheckoutClosed
from subscriptions.models import Plan, PlanPrice, Subscription
from subscriptions.starting import CannotSubscribe, start_subscription

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A plan with its prices in the visitor's currency, and the free days that they would get."""

    plan: Plan
    prices: list[PlanPrice]
    trial_days: int


@require_safe
def show_plans(request: HttpRequest) -> HttpResponse:
    """Show the plans on sale with their prices in the visitor's currency."""
    currency = display_currency(request)
    user = request.user if isinstance(request.user, User) else None
    live = Subscription.objects.live().filter(user=user).select_related("price").first() if user else None
    context = {"plans": _plans_in(currency, user), "currency": currency, "subscription": live}
    return render(request, "subscriptions/plan_list.html", context)


def _plans_in(currency: str, user: User | None) -> list[ShownPlan]:
    prices = PlanPrice.objects.filter(is_active=True, currency=currency, plan__is_on_sale=True).select_related("plan")
    by_plan: dict[int, list[PlanPrice]] = {}
    for price in prices.order_by("interval"):
        by_plan.setdefault(price.plan_id, []).append(price)
    had_trial = user is not None and Subscription.objects.filter(user=user, trial_ends_at__isnull=False).exists()
    return [
        ShownPlan(plan, by_plan.get(plan.pk, []), 0 if had_trial else plan.trial_days)
        for plan in Plan.objects.filter(is_on_sale=True)
    ]


@require_POST
def begin(request: HttpRequest, price_id: int) -> HttpResponse:
    """The subscribe button: redirect to Stripe's page."""
    if not isinstance(request.user, User):
        return redirect(f"{reverse('account_login')}?next={reverse('subscriptions:plans')}")
    price = get_object_or_404(PlanPrice.objects.select_related("plan"), pk=price_id, plan__is_on_sale=True)
    try:
        row = start_subscription(user=request.user, price=price)
    except CannotSubscribe as problem:
        messages.warning(request, str(problem))
        return redirect("subscriptions:mine")
    except CheckoutClosed:
        return render(request, "payments/checkout_closed.html", status=503)
    except (StripeUnreachable, StripeRefused, CustomerErased) as problem:
        log.warning("subscription_not_started", problem=repr(problem))
        return render(request, "payments/checkout_unavailable.html", status=503)
    return redirect(row.session_url if row.status == Subscription.Status.STARTING else "subscriptions:mine")
