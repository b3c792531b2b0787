"""Filters of the lists of orders and refunds by how far something is refunded or allocated."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from payments.models import Order, Payment, Refund
from payments.refunds.states import ENDED, UNDER_WAY


class RefundStateFilter(SimpleListFilter):
    """Orders by their refunds, in the words of `Order.refund_state`."""

    title = "refunds"
    parameter_name = "refunds"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:  # noqa: ARG002  # Django's signature
        return [
            ("full", "Refunded"),
            ("part", "Partially refunded"),
            ("under_way", "Refund under way"),
            ("failed", "Refund failed"),
            ("none", "Not refunded"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:  # noqa: ARG002  # Django's signature
        refunds = Refund.objects.filter(payment__order=OuterRef("pk"))
        match self.value():
            case "full":
                return _with_returned(queryset).filter(returned__gte=F("total_minor"), returned__gt=0)
            case "part":
                return _with_returned(queryset).filter(returned__lt=F("total_minor"), returned__gt=0)
            case "under_way":
                return queryset.filter(Exists(refunds.filter(status__in=UNDER_WAY)))
            case "failed":
                return queryset.filter(Exists(refunds.filter(status__in=ENDED)))
            case "none":
                return queryset.exclude(Exists(refunds.live()))
            case _:
                return queryset


class AllocationFilter(SimpleListFilter):
    """Refunds made at Stripe that staff must still allocate to lines."""

    title = "allocation to lines"
    parameter_name = "allocation"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:  # noqa: ARG002  # Django's signature
        return [("open", "To allocate")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Refund]) -> QuerySet[Refund]:  # noqa: ARG002  # Django's signature
        if self.value() != "open":
            return queryset
        return queryset.filter(pk__in=Refund.objects.to_allocate().values("pk"))


def _with_returned(orders: QuerySet[Order]) -> QuerySet[Any]:
    """Annotate what Stripe has confirmed as refunded of the payment that paid the order."""
    sums = (
        Refund.objects.filter(
            payment__order=OuterRef("pk"),
            payment__status=Payment.Status.SUCCEEDED,
            status=Refund.Status.SUCCEEDED,
        )
        .order_by()
        .values("payment__order")
        .annotate(total=Sum("amount_minor"))
        .values("total")
    )
    return orders.annotate(returned=Coalesce(Subquery(sums), 0))
