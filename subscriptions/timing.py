"""When the follow-up of a subscription must look at it again."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from jobs.wakeups import wake_after_commit
from subscriptions.models import FollowUp, Subscription

# Stripe charges a renewal an hour after the period has ended.
_UNTIL_RENEWED = timedelta(hours=2)
_AGAIN = timedelta(hours=6)
# Stripe expires a page a little after its time.
_PAGE_IS_LATE = timedelta(minutes=1)
_BEFORE_THE_END = timedelta(days=1)


def dunning_moments(row: Subscription) -> dict[str, datetime]:
    """When the mails about a failed payment are due, and when the time to pay is over."""
    if row.past_due_since is None or row.grace_until is None:
        return {}
    half = row.past_due_since + (row.grace_until - row.past_due_since) / 2
    moments = {"reminder": half, "last": max(row.grace_until - _BEFORE_THE_END, half), "end": row.grace_until}
    return moments if moments["last"] > half else {"last": half, "end": row.grace_until}


def next_look(row: Subscription) -> datetime:
    """The next moment at which something should have happened."""
    now = timezone.now()
    if row.status == Subscription.Status.STARTING:
        return (row.session_expires_at or now) + _PAGE_IS_LATE
    if row.status == Subscription.Status.PAST_DUE:
        to_come = [moment for moment in dunning_moments(row).values() if moment > now]
        return min(to_come, default=now)
    due = (row.period_ends_at or now) + _UNTIL_RENEWED
    return due if due > now else now + _AGAIN


def schedule_follow_up(row: Subscription) -> None:
    """Move the follow-up to the next such moment. One that is being performed plans its next look itself."""
    waiting = FollowUp.objects.filter(subscription=row, state=FollowUp.State.WAITING)
    if waiting.update(run_after=timezone.now() if row.status == Subscription.Status.ENDED else next_look(row)):
        wake_after_commit(FollowUp)


def look_soon(row: Subscription) -> None:
    """Have a worker look at Stripe now, for a person who waits for it on a page."""
    waiting = FollowUp.objects.filter(subscription=row, state=FollowUp.State.WAITING)
    if waiting.update(run_after=timezone.now()):
        wake_after_commit(FollowUp)
