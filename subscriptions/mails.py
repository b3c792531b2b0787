"""Mails about subscriptions, queued in the transaction of the change. Receipts are the mails of payments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.template.defaultfilters import date as written_date
from django.urls import reverse

from notifications.outbox import queue_mail
from payments.contracts import SoldLine
from subscriptions.models import Subscription, SubscriptionPeriod


def queue_period_paid(period: SubscriptionPeriod, line: SoldLine) -> None:
    """Say in the mail with the receipt what the payment gives, and until when."""
    row = period.subscription
    _queue(
        row,
        "period_paid",
        key=f"period:{period.pk}",
        part_of=line.purchase_mail,
        plan=period.price.plan.name,
        until=_day(period.ends_at),
        credits=period.credits,
    )


def queue_trial_started(row: Subscription) -> None:
    """Welcome a subscriber in a trial, who has paid nothing and so gets no receipt."""
    _queue(row, "trial_started", key="trial")


def queue_trial_ends(row: Subscription) -> None:
    """Say that the trial ends soon, and what is charged then. Not to those who have cancelled."""
    if row.status == Subscription.Status.TRIALING and not row.cancel_at_period_end:
        _queue(row, "trial_ends", key="trial-ends")


def queue_renewal_announced(row: Subscription) -> None:
    """Say that a year is about to be charged. Monthly payments are not announced."""
    if row.status == Subscription.Status.ACTIVE and not row.cancel_at_period_end and not row.price.is_monthly:
        _queue(row, "renewal_announced", key=f"renewal:{_seconds(row.period_ends_at)}")


def queue_payment_failed(row: Subscription, *, step: str) -> None:
    """Ask for another card: at the first failure, once more, and a last time before the subscription ends."""
    _queue(
        row,
        "payment_failed",
        key=f"failed:{_seconds(row.past_due_since)}:{step}",
        step=step,
        grace_until=_day(row.grace_until),
        pay_url=row.unpaid_invoice_url,
    )


def queue_recovered(row: Subscription) -> None:
    """Thank for the payment that was late."""
    _queue(row, "recovered", key=f"recovered:{_seconds(row.past_due_since)}")


def queue_cancellation(row: Subscription) -> None:
    """Confirm a cancellation, or that it was withdrawn. Several a day are possible, so the version tells them apart."""
    _queue(row, "cancelled" if row.cancel_at_period_end else "resumed", key=f"cancellation:{row.version}")


def queue_ended(row: Subscription) -> None:
    """Say that the subscription has ended, and why."""
    _queue(row, "ended", key="ended", is_unpaid=row.end_reason == Subscription.EndReason.PAYMENT_FAILED)


def _queue(row: Subscription, template: str, *, key: str, part_of: str = "", **more: Any) -> None:
    coming = row.coming_price
    queue_mail(
        key=f"subscription:{row.pk}:{key}",
        to=row.user,
        template=f"subscriptions/mail/{template}",
        context={
            "plan": row.plan.name,
            "amount": str(coming.amount),
            "per": coming.per,
            "until": _day(row.period_ends_at),
            "will_end": row.cancel_at_period_end,
            "path": reverse("subscriptions:mine"),
            "plans_path": reverse("subscriptions:plans"),
            **more,
        },
        part_of=part_of,
    )


def _day(moment: datetime | None) -> str:
    return written_date(moment, "j F Y")


def _seconds(moment: datetime | None) -> int:
    return int(moment.timestamp()) if moment else 0
