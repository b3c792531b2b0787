"""Orders, payments and refunds of the last hour."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Model, QuerySet, Sum
from django.db.models.functions import Now
from prometheus_client.core import GaugeMetricFamily

from payments.models import Order, Payment, Refund

_RECENT = timedelta(hours=1)
# No index holds when they were made, but the newest are the last by id. A busier hour is counted in part.
_MOST_ROWS = 5000


def recent_money() -> Iterable[GaugeMetricFamily]:
    """By state, the states that none is in included; and the amounts in minor units by currency."""
    yield _by_state(Order, "state", Order.State.values, name="lectern_orders_recent")
    yield _by_state(Payment, "status", Payment.Status.values, name="lectern_payments_recent")
    yield _by_state(Refund, "status", [status.value for status in Refund.Status], name="lectern_refunds_recent")
    paid = _recent(Payment).filter(status=Payment.Status.SUCCEEDED)
    yield _amounts(paid, name="lectern_paid_recent_minor", text="Paid by payments made in the last hour.")
    refunded = _recent(Refund).filter(status=Refund.Status.SUCCEEDED)
    yield _amounts(refunded, name="lectern_refunded_recent_minor", text="Given back by refunds made in the last hour.")


def _recent(model: type[Model]) -> QuerySet[Model]:
    newest = model._default_manager.order_by("-pk").values("pk")[:_MOST_ROWS]
    return model._default_manager.filter(pk__in=newest, created_at__gt=Now() - _RECENT).order_by()


def _by_state(model: type[Model], field: str, states: Iterable[str], *, name: str) -> GaugeMetricFamily:
    what = str(model._meta.verbose_name_plural)
    family = GaugeMetricFamily(name, f"The {what} made in the last hour, by their state now.", labels=["state"])
    counts = dict(_recent(model).values_list(field).annotate(Count("pk")))
    for state in states:
        family.add_metric([state], counts.get(state, 0))
    return family


def _amounts(rows: QuerySet[Model], *, name: str, text: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, f"{text} In minor units.", labels=["currency"])
    amounts = dict(rows.values_list("currency").annotate(Sum("amount_minor")))
    for currency in {*settings.CURRENCIES, *amounts}:
        family.add_metric([currency], amounts.get(currency, 0))
    return family
