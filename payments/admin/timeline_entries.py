"""What one row of an order's history says on the order's page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.urls import reverse

from jobs.models import DurableWork
from notifications.models import Mail
from payments.admin import words
from payments.admin.refund_history import explained
from payments.models import (
    Dispute,
    DisputeAnswer,
    FraudWarning,
    Order,
    OrderLine,
    Payment,
    Refund,
    RefundChange,
    WebhookEvent,
)
from payments.stripe_links import dashboard_url

_MAIL_STATES = {
    DurableWork.State.WAITING: ("waiting", "info"),
    DurableWork.State.RUNNING: ("being sent", "info"),
    DurableWork.State.DONE: ("not sent", "warning"),
    DurableWork.State.PARKED: ("failed", "danger"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened to an order: `url` leads to our page about it, `stripe_url` to Stripe's."""

    at: datetime
    icon: str
    text: str
    note: str = ""
    label: str = ""
    colour: str = "info"
    url: str = ""
    stripe_id: str = ""
    stripe_url: str = ""


def of_order(order: Order) -> Iterator[Entry]:
    yield Entry(at=order.created_at, icon="shopping_cart", text=f"Ordered for {order.total}")
    if order.cancelled_at:
        yield Entry(
            at=order.cancelled_at,
            icon="cancel",
            text="Order cancelled",
            note=order.cancel_reason,
            label="cancelled",
            colour="danger",
        )


def of_line(line: OrderLine) -> Iterator[Entry]:
    what = f"{words.domain_label(line.domain)}: {line.counted_title}"
    if line.fulfilled_at:
        yield Entry(at=line.fulfilled_at, icon="local_shipping", text=f"Delivered. {what}", colour="success")


def of_payment(payment: Payment) -> Iterator[Entry]:
    """The opening of its page, and how it ended. A decline before a success is told by Stripe's event about it."""
    url = reverse("admin:payments_payment_change", args=[payment.pk])
    opened = payment.stripe_session_id or ""
    paid = payment.stripe_payment_intent_id or opened
    yield Entry(
        at=payment.created_at,
        icon="credit_card",
        text=f"Payment page for {payment.amount}",
        label="" if payment.ended_at else words.payment_status(payment),
        colour=words.PAYMENT_COLOURS.get(payment.status, "info"),
        note="" if payment.has_succeeded or payment.ended_at else payment.failure_message,
        url=url,
        stripe_id=opened,
        stripe_url=dashboard_url(opened, livemode=payment.livemode),
    )
    ended = payment.succeeded_at or payment.ended_at
    if ended:
        yield Entry(
            at=ended,
            icon="check_circle" if payment.has_succeeded else "credit_card_off",
            text=f"Payment of {payment.amount}",
            label=words.payment_status(payment),
            colour=words.PAYMENT_COLOURS.get(payment.status, "info"),
            note="" if payment.has_succeeded else payment.failure_message,
            url=url,
            stripe_id=paid,
            stripe_url=dashboard_url(paid, livemode=payment.livemode),
        )


def of_refund(refund: Refund, changes: list[RefundChange]) -> Iterator[Entry]:
    colours = {"succeeded": "success", "failed": "danger", "canceled": "danger", "requires_action": "warning"}
    stripe_id = refund.stripe_refund_id or ""
    for change in changes:
        by = f" by {change.by.display_name}" if change.by else ""
        yield Entry(
            at=change.at,
            icon="undo",
            text=f"Refund of {refund.amount}{by}",
            label=change.get_kind_display(),
            colour=colours.get(change.kind, "info"),
            note=explained(change) or (refund.get_reason_display() if change.kind == refund.Status.REQUESTED else ""),
            url=reverse("admin:payments_refund_change", args=[refund.pk]),
            stripe_id=stripe_id,
            stripe_url=dashboard_url(stripe_id, livemode=refund.payment.livemode),
        )


def of_dispute(dispute: Dispute) -> Iterator[Entry]:
    about = {
        "icon": "gavel",
        "url": dispute.get_admin_url(),
        "stripe_id": dispute.stripe_dispute_id,
        "stripe_url": dashboard_url(dispute.stripe_dispute_id, livemode=dispute.payment.livemode),
    }
    what = "Inquiry" if dispute.is_inquiry else "Dispute"
    reason = dispute.reason.replace("_", " ")
    is_open = not dispute.is_closed
    yield Entry(
        at=dispute.opened_at,
        text=f"{what} of {dispute.amount} opened",
        note=f"The cardholder's reason: {reason}",
        label=dispute.status_text if is_open else "",
        colour="danger" if dispute.needs_answer else "warning",
        **about,
    )
    if dispute.closed_at:
        colour = "danger" if dispute.status == Dispute.Status.LOST else "success"
        yield Entry(
            at=dispute.closed_at,
            text=f"{what} of {dispute.amount} decided",
            label=dispute.status_text,
            colour=colour,
            **about,
        )


def of_answer(answer: DisputeAnswer) -> Iterator[Entry]:
    yield Entry(
        at=answer.sent_at or answer.created_at,
        icon="gavel",
        text=f"{answer.get_kind_display().capitalize()}, by {answer.decided_by.display_name}",
        note=answer.refusal or answer.note,
        label=answer.get_status_display(),
        colour="danger" if answer.refusal else "info",
        url=reverse("admin:payments_disputeanswer_change", args=[answer.pk]),
    )


def of_warning(warning: FraudWarning) -> Iterator[Entry]:
    yield Entry(
        at=warning.warned_at,
        icon="warning",
        text="The bank warned of fraud",
        note=warning.fraud_type.replace("_", " "),
        label="needs a decision" if warning.needs_decision else "",
        colour="danger",
        url=reverse("admin:payments_fraudwarning_change", args=[warning.pk]),
        stripe_id=warning.stripe_warning_id,
        stripe_url=dashboard_url(warning.stripe_warning_id, livemode=warning.payment.livemode),
    )


def of_mail(mail: Mail) -> Iterator[Entry]:
    """The email with its fate, and the error that keeps it from arriving."""
    label, colour = ("sent", "success") if mail.sent_at else _MAIL_STATES[DurableWork.State(mail.state)]
    yield Entry(
        at=mail.sent_at or mail.finished_at or mail.created_at,
        icon="mail",
        text=f"Email “{mail.title}” to {mail.to}",
        label=label,
        colour=colour,
        note="" if mail.sent_at else mail.last_line_of_error,
        url=reverse("admin:notifications_mail_change", args=[mail.pk]),
    )


def of_event(event: WebhookEvent) -> Iterator[Entry]:
    is_stuck = event.is_quarantined or event.state == DurableWork.State.PARKED
    is_done = event.state == DurableWork.State.DONE
    yield Entry(
        at=event.created_at,
        icon="webhook",
        text=f"Stripe reported: {words.event_type(event).lower()}",
        note=words.outcome(event) if is_done or event.is_quarantined else event.last_line_of_error,
        label="" if is_done else "parked" if is_stuck else "being processed",
        colour="danger" if is_stuck else "info",
        url=reverse("admin:payments_webhookevent_change", args=[event.pk]),
        stripe_id=event.stripe_id,
        stripe_url=dashboard_url(event.stripe_id, livemode=event.livemode),
    )


def of_staff_action(action: LogEntry) -> Iterator[Entry]:
    yield Entry(
        at=action.action_time,
        icon="person",
        text=f"{action.user.display_name}: {action.get_change_message() or action.object_repr}",
    )
