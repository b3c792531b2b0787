"""How teachers earn from subscriptions, for teachers to read before they take part."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def show_earnings_rules(request: HttpRequest) -> HttpResponse:
    """Show the rules, with the figures that the settings name."""
    commission = f"{settings.DEFAULT_COMMISSION_BPS / 100:g} %"
    context = {"commission": commission, "held_days": settings.EARNINGS_HELD_FOR.days}
    return render(request, "subscriptions/earnings_rules.html", context)
