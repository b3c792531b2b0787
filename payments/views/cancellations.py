"""A student cancels what they bought: first they see what comes back, then they confirm it. Others get a 404."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.moments import write_moment
from money import Money
from payments.cancellations.lines import (
    CannotCancel,
    Offer,
    OfferChanged,
    cancel_for_student,
    offer_cancellation,
    terms_for_student,
)
from payments.contracts import CancellationTerms
from payments.models import Order, OrderLine


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step of the policy as the page shows it: until when it holds, and what comes back meanwhile."""

    until: str
    amount: Money
    is_current: bool


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_line(request: HttpRequest, line_id: int) -> HttpResponse:
    """Let the student choose places, show what comes back for them, and cancel them once that is confirmed."""
    line = _own_line(request, line_id)
    if request.method == "POST":
        return _cancel(request, line)
    try:
        terms = terms_for_student(line, at=timezone.now())
        keys = _chosen(request.GET.getlist("place"), terms)
        offer = offer_cancellation(line=line, keys=keys, at=timezone.now()) if keys else None
    except CannotCancel as refusal:
        return render(request, "payments/line_cancel.html", {"line": line, "refusal": str(refusal)})
    return _page(request, line, terms, offer)


def _cancel(request: HttpRequest, line: OrderLine) -> HttpResponse:
    try:
        cancelled = cancel_for_student(
            line_id=line.pk, keys=request.POST.getlist("place"), digest=request.POST.get("digest", "")
        )
    except CannotCancel as refusal:
        messages.error(request, str(refusal))
        return redirect(line.order)
    except OfferChanged as changed:
        return _page(request, line, changed.offer.terms, changed.offer, has_changed=True)
    amount = cancelled.offer.amount
    if amount.minor:
        messages.success(request, f"It is cancelled, and {amount} is on its way back to you.")
    else:
        messages.success(request, "It is cancelled. Nothing is refunded.")
    return redirect(line.order)


def _own_line(request: HttpRequest, line_id: int) -> OrderLine:
    paid = OrderLine.objects.filter(order__user_id=request.user.pk or 0, order__state=Order.State.COMPLETED)
    return get_object_or_404(paid.select_related("order", "teacher"), pk=line_id)


def _chosen(named: Collection[str], terms: CancellationTerms) -> Collection[str]:
    """The keys of the places to cancel: those named, or the only one there is."""
    return named or ([terms.places[0].key] if len(terms.places) == 1 else [])


def _page(
    request: HttpRequest, line: OrderLine, terms: CancellationTerms, offer: Offer | None, *, has_changed: bool = False
) -> HttpResponse:
    chosen = {place.key for place in offer.places} if offer else set()
    zone = terms.zone or timezone.get_current_timezone()
    context = {
        "line": line,
        "offer": offer,
        "has_changed": has_changed,
        "places": [(place, place.key in chosen) for place in terms.places],
        "steps": _shown_steps(offer) if offer else [],
        "closes": write_moment(terms.closes_at, zone) if terms.closes_at else "",
    }
    # 409: what was posted no longer fits what there is.
    return render(request, "payments/line_cancel.html", context, status=409 if has_changed else 200)


def _shown_steps(offer: Offer) -> list[ShownStep]:
    zone = offer.terms.zone or timezone.get_current_timezone()
    now = timezone.now()
    return [
        ShownStep(
            until=write_moment(step.until, zone) if step.until else "",
            amount=offer.amount_in(step),
            is_current=step == offer.step,
        )
        for step in offer.terms.steps
        if step.until is None or step.until >= now
    ]
