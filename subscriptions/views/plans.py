"""The public page of plans."""

from __future__ import annotations

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalogue.currencies import display_currency
from subscriptions.models import Plan, PlanPrice


@require_safe
def show_plans(request: HttpRequest) -> HttpResponse:
    """Show the plans on sale with their prices in the visitor's currency."""
    currency = display_currency(request)
    prices = PlanPrice.objects.filter(is_active=True, currency=currency).order_by("interval")
    plans = Plan.objects.filter(is_on_sale=True).prefetch_related(Prefetch("prices", prices, to_attr="shown_prices"))
    return render(request, "subscriptions/plan_list.html", {"plans": plans, "currency": currency})
