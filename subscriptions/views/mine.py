"""One's own subscription."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from subscriptions.models import Subscription


@login_required
@require_safe
def show_mine(request: HttpRequest) -> HttpResponse:
    """Show the subscription that has not ended, or what plans there are."""
    live = Subscription.objects.live().filter(user=request.user.pk).select_related("price__plan").first()
    return render(request, "subscriptions/subscription_show.html", {"subscription": live})
