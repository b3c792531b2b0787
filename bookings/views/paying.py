"""The page to which the link in a mail leads: pay for one proposed lesson, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from bookings import DOMAIN
from bookings.models import Lesson
from money.amounts import InvalidAmount, Money
from payments.contracts import Item
from payments.direct import PaidAlone, order_holding, price_alone, start_direct_checkout
from payments.models import Order
from payments.pricing import PricedCart, PricedLine
from payments.views.checkout import lead_to_payment


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """Whether the lesson can be paid now, or what keeps it from that."""

    priced: PricedCart
    line: PricedLine
    # Another order of the student that holds the lesson, or one whose bank has not answered yet.
    order: Order | None

    @property
    def problem(self) -> str:
        return self.line.problem or self.priced.problem


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def pay_lesson(request: HttpRequest, lesson_id: int) -> HttpResponse:
    """Show one lesson with its price and a button that leads to paying it; another student's lesson is a 404."""
    user = cast("User", request.user)
    lesson = get_object_or_404(Lesson.objects.for_pages(), pk=lesson_id, student=user)
    wanted = _wanted(lesson)
    if request.method == "POST":
        agreed = request.POST.get("agreed", "")
        return lead_to_payment(
            request,
            lambda: start_direct_checkout(user=user, wanted=wanted, agreed_digest=agreed),
            back=wanted.path,
        )
    context = {
        "lesson": lesson,
        "standing": _standing_of(lesson, wanted, user),
        "earlier_price": _earlier_price(request, lesson),
        "came_back_unpaid": request.GET.get("from") == "payment",
    }
    return render(request, "bookings/lesson_pay.html", context)


def _wanted(lesson: Lesson) -> PaidAlone:
    return PaidAlone(
        item=Item(domain=DOMAIN, reference=str(lesson.pk)),
        currency=lesson.currency,
        path=reverse("bookings:lesson_pay", args=[lesson.pk]),
    )


def _standing_of(lesson: Lesson, wanted: PaidAlone, user: User) -> _Standing:
    priced = price_alone(wanted, buyer_id=user.pk)
    order = order_holding(lesson.order_line_id, buyer_id=user.pk) if lesson.state == Lesson.State.HELD else None
    is_open_here = order and order.state == Order.State.AWAITING_PAYMENT and _cart_key(order) == wanted.key
    return _Standing(priced=priced, line=priced.lines[0], order=None if is_open_here else order)


def _cart_key(order: Order) -> str:
    return order.cart.only_item if order.cart else ""


def _earlier_price(request: HttpRequest, lesson: Lesson) -> Money | None:
    """The price that the mail named, if it is another one now."""
    try:
        earlier = Money.from_major(request.GET.get("price", "")[:20], lesson.currency)
    except InvalidAmount:
        return None
    return earlier if earlier.minor > 0 and earlier != lesson.price else None
