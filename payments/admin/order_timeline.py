"""All that happened to an order, in the order of time, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest

from notifications.models import Mail
from payments.admin import timeline_entries as entries
from payments.admin.timeline_entries import Entry
from payments.models import (
    Dispute,
    DisputeAnswer,
    FraudWarning,
    Order,
    Payment,
    Refund,
    RefundChange,
    WebhookEvent,
)

# An order has few of these. An event repeated a thousand times must not make its page unreadable.
_EVENTS_AT_MOST = 200


def timeline_of(order: Order, request: HttpRequest) -> list[Entry]:
    """The order's history, oldest first, without the kinds of rows that this member of staff may not see."""
    payments = list(order.payments.order_by("pk"))
    refunds = list(_refunds(order))
    disputes = list(Dispute.objects.filter(payment__order=order).select_related("payment").order_by("pk"))
    found = [
        *entries.of_order(order),
        *_each(entries.of_line, order.lines.all()),
        *_each(entries.of_payment, payments),
        *(entry for refund in refunds for entry in entries.of_refund(refund, list(refund.changes.all()))),
        *_each(entries.of_dispute, disputes),
        *_each(entries.of_answer, _answers(disputes)),
        *_each(entries.of_warning, _warnings(order)),
        *_each(entries.of_staff_action, _staff_actions(order, payments, refunds, disputes)),
    ]
    if request.user.has_perm("notifications.view_mail"):
        found += _each(entries.of_mail, mails_about(order, payments, refunds))
    if request.user.has_perm("payments.view_webhookevent"):
        found += _each(entries.of_event, _events(order))
    return sorted(found, key=lambda entry: entry.at)


def mails_about(order: Order, payments: list[Payment], refunds: list[Refund]) -> QuerySet[Mail]:
    """The emails to the customer about this order: those that name its number, and those about its rows."""
    keys = [f"order:{order.number}:"]
    keys += [f"payment:{payment.pk}:" for payment in payments]
    keys += [f"refund:{refund.pk}:" for refund in refunds]
    is_about = Q(context__order_number=order.number)
    for key in keys:
        is_about |= Q(key__startswith=key)
    of_customer = Mail.objects.filter(user_id=order.user_id)
    return of_customer.filter(is_about).defer("context", "attachments", "text_body", "html_body").order_by("pk")


def _each(make: Callable[[Any], Iterator[Entry]], rows: Iterable[Any]) -> Iterator[Entry]:
    for row in rows:
        yield from make(row)


def _refunds(order: Order) -> QuerySet[Refund]:
    changes = Prefetch("changes", RefundChange.objects.select_related("by"))
    return Refund.objects.filter(payment__order=order).select_related("payment").prefetch_related(changes)


def _answers(disputes: list[Dispute]) -> QuerySet[DisputeAnswer]:
    return DisputeAnswer.objects.filter(dispute__in=disputes).select_related("decided_by").order_by("pk")


def _warnings(order: Order) -> QuerySet[FraudWarning]:
    return FraudWarning.objects.filter(payment__order=order).select_related("payment", "refund").order_by("pk")


def _events(order: Order) -> QuerySet[WebhookEvent]:
    return order.events.defer("payload").order_by("pk")[:_EVENTS_AT_MOST]


def _staff_actions(
    order: Order, payments: list[Payment], refunds: list[Refund], disputes: list[Dispute]
) -> QuerySet[LogEntry]:
    rows: dict[type, list[int]] = {
        Order: [order.pk],
        Payment: [payment.pk for payment in payments],
        Refund: [refund.pk for refund in refunds],
        Dispute: [dispute.pk for dispute in disputes],
    }
    types = ContentType.objects.get_for_models(*rows)
    is_about = Q(pk=None)
    for model, keys in rows.items():
        is_about |= Q(content_type=types[model], object_id__in=[str(key) for key in keys])
    return LogEntry.objects.filter(is_about).select_related("user").order_by("pk")
