"""From a domain's rows, which know the id of an order line, to the order's page in the admin."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils.html import format_html

from payments.models import OrderLine


def with_order_numbers(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Annotate rows that have an `order_line_id` with their order's `order_id` and `order_number`."""
    line = OrderLine.objects.filter(pk=OuterRef("order_line_id"))
    annotated: QuerySet[Any] = rows.annotate(
        order_id=Subquery(line.values("order_id")[:1]), order_number=Subquery(line.values("order__number")[:1])
    )
    return annotated


def order_link(order_id: int | None, number: str | None) -> str:
    """The number, linked to the order's page in the admin; a dash for a row that no order holds."""
    if not order_id:
        return "–"
    return format_html(
        '<a class="underline" href="{}">{}</a>', reverse("admin:payments_order_change", args=[order_id]), number
    )
