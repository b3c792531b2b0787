"""What a paid period gives, and what becomes of its money. Each function runs in the transaction that records why."""

from __future__ import annotations

from subscriptions.models import SubscriptionPeriod


def open_period(period: SubscriptionPeriod) -> None:
    """Begin what was paid for. A second call has no effect."""


def revoke_period(period: SubscriptionPeriod) -> None:
    """End what was paid for, since the money goes back to the student. A second call has no effect."""
