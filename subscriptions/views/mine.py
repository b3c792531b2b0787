"""One's own subscription."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from subscriptions.credits import own_credits
from subscriptions.models import Subscription
from subscriptions.timing import look_soon

_PAID_PERIODS_SHOWN = 24


@never_cache
@login_required
@require_safe
def show_mine(request: HttpRequest) -> HttpResponse:
    """Show the subscription that has not ended, or the last one, with what was paid."""
    mine = Subscription.objects.filter(user=request.user.pk).select_related("price__plan", "next_price__plan")
    row = mine.filter(ended_at=None).first() or mine.exclude(stripe_subscription_id=None).first()
    periods = (
        row.periods.select_related("line__order", "price__plan").order_by("-pk")[:_PAID_PERIODS_SHOWN] if row else []
    )
    is_waiting = row is not None and row.status == Subscription.Status.STARTING
    context = {
        "subscription": row,
        "periods": periods,
        "is_waiting": is_waiting and "returned" in request.GET,
        "credits": own_credits(request.user.pk or 0),
    }
    return render(request, "subscriptions/subscription_show.html", context)


@never_cache
@login_required
@require_safe
def return_from_stripe(request: HttpRequest) -> HttpResponse:
    """The page to which Stripe sends people afterwards. Being here proves nothing: a worker asks Stripe at once."""
    session_id = request.GET.get("session_id", "")
    known = (
        Subscription.objects.filter(user=request.user.pk, stripe_session_id=session_id)
        if "\0" not in session_id
        else None
    )
    row = known.first() if known is not None and session_id else None
    if row is None:
        raise Http404
    look_soon(row)
    response = redirect("subscriptions:mine")
    if row.status == Subscription.Status.STARTING:
        response["Location"] += "?returned=1"
    return response
