"""A student's own orders. Orders of other people answer 404."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.confirmation_page import ask_first
from money import Money
from payments import sessions
from payments.cancellations.lines import can_cancel
from payments.disputes.waiting_refunds import held_of_line
from payments.evidence import PaymentDisagrees
from payments.models import Order, OrderLine, Refund
from payments.outcomes import request_look
from payments.reasons import BY_STUDENT
from payments.registry import UnknownDomain, delivery_words, handler_for
from payments.stripe_api import StripeRefused, StripeUnreachable
from payments.views.polling import first_poll, number_in, poll_after

log = structlog.get_logger()

_ORDERS_PER_PAGE = 20


@dataclass(frozen=True, kw_only=True)
class ShownLine:
    """A line as the order page shows it, with what the student can do next; `url` is empty if nothing was delivered."""

    line: OrderLine
    url: str
    action: str
    can_cancel: bool


@require_GET
@never_cache
@login_required
def list_orders(request: HttpRequest) -> HttpResponse:
    """Everything the student bought, newest first."""
    orders = (
        Order.objects.filter(user_id=request.user.pk or 0)
        .exclude(state=Order.State.CANCELLED)
        .prefetch_related("lines__teacher", "payments__refunds")
    )
    page = Paginator(orders, _ORDERS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "payments/order_list.html", {"page": page})


@require_GET
@never_cache
@login_required
def show_order(request: HttpRequest, number: str) -> HttpResponse:
    """One order: its state, its lines with links to what was delivered, and its receipt."""
    order = _own_order(request, number)
    return render(request, "payments/order_show.html", {**_order_context(order), "poll": first_poll(order)})


@require_GET
@never_cache
@login_required
def order_status(request: HttpRequest, number: str) -> HttpResponse:
    """The part of the order page that polls until the outcome of the payment is known."""
    order = _own_order(request, number)
    payment = order.payments.filter(ended_at=None).first()
    if payment is not None:
        payment.order = order
        request_look(payment)
    context = {**_order_context(order), "poll": poll_after(order, number_in(request.GET.get("poll", "")))}
    return render(request, "payments/order_status.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def cancel_unpaid(request: HttpRequest, number: str) -> HttpResponse:
    """Cancel an unpaid order, after asking: its page at Stripe is closed, its places are released; the cart stays."""
    order = _own_order(request, number)
    if request.method != "POST":
        return ask_first(
            request,
            question=f"Cancel order {order.number}?",
            consequence="Its places are free for others at once. Nothing is charged, and your cart stays as it is.",
            action="Cancel this order",
            back=order.get_absolute_url(),
        )
    payment = order.payments.filter(ended_at=None).first()
    if payment is not None:
        try:
            sessions.close_session(payment.pk, reason=BY_STUDENT)
        except sessions.AlreadyPaid:
            messages.info(request, "This order was paid in the meantime.")
        except (StripeUnreachable, StripeRefused, PaymentDisagrees) as problem:
            log.warning("order_not_cancelled", order=order.number, problem=repr(problem))
            messages.error(request, "Our payment provider does not answer. Please try again in a minute.")
        else:
            messages.success(request, "The order is cancelled. Your cart is as it was.")
    return redirect(order)


def _orders_with_lines() -> QuerySet[Order]:
    return Order.objects.select_related("user", "terms", "cart").prefetch_related(
        Prefetch("lines", OrderLine.objects.select_related("teacher", "gift")), "redemptions__code"
    )


def _own_order(request: HttpRequest, number: str) -> Order:
    return get_object_or_404(_orders_with_lines(), number=number, user_id=request.user.pk)


def _order_context(order: Order) -> dict[str, object]:
    lines = list(order.lines.all())
    for line in lines:
        line.order = order
    return {
        "order": order,
        "lines": [_shown(line) for line in lines],
        "is_waiting": order.state == Order.State.AWAITING_PAYMENT,
        "is_pending": order.state == Order.State.PAYMENT_PENDING,
        "has_undeliverable": any(line.state == OrderLine.State.UNDELIVERABLE for line in lines),
        "payment": order.payments.order_by("-created_at").first(),
        "refunds": Refund.objects.filter(payment__order=order)
        .select_related("document")
        .prefetch_related("allocations__line")
        .order_by("created_at"),
        "undecided": _undecided(lines),
    }


def _undecided(lines: Sequence[OrderLine]) -> Money | None:
    """What the student disputes while their bank decides about it; None if nothing."""
    held = [held_of_line(line) for line in lines if line.disputed_minor]
    undecided = sum(held[1:], start=held[0]) if held else None
    return undecided if undecided and undecided.minor else None


def _shown(line: OrderLine) -> ShownLine:
    return ShownLine(
        line=line,
        url=_delivery_url(line),
        action="View gift" if line.is_gift else delivery_words(line.domain),
        can_cancel=line.is_delivered and can_cancel(line),
    )


def _delivery_url(line: OrderLine) -> str:
    if not line.is_delivered:
        return ""
    if line.is_gift:
        return line.gift.get_absolute_url()
    try:
        return handler_for(line.domain).delivery_url(line.as_sold())
    except UnknownDomain:
        return ""
