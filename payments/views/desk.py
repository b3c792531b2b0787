"""The teacher's sales."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import F, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.guards import TeacherRequest, still_teaching_required
from money import Money
from payments.models import Order, OrderLine

_LINES_PER_PAGE = 25
_EARNED_MINOR = F("teacher_share_minor") + F("platform_discount_share_minor") - F("reclaimed_share_minor")


@require_GET
@never_cache
@still_teaching_required
def show_sales(request: TeacherRequest) -> HttpResponse:
    """Every delivered line of this teacher, or those of one order, with their share, and the sum per currency."""
    sold = OrderLine.objects.filter(
        teacher=request.teacher,
        order__state=Order.State.COMPLETED,
        state__in=[OrderLine.State.FULFILLED, OrderLine.State.REVOKED],
    )
    number = request.GET.get("order", "")
    if number:
        sold = sold.filter(order__number=number)
    totals = (
        sold.values("order__currency")
        .annotate(share=Sum(_EARNED_MINOR - F("refunded_share_minor") - F("disputed_share_minor")))
        .order_by("order__currency")
    )
    page = Paginator(sold.select_related("order__user").order_by("-order__paid_at", "pk"), _LINES_PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "order_number": number,
        "totals": [Money(row["share"], row["order__currency"]) for row in totals],
    }
    return render(request, "payments/sales_list.html", context)
