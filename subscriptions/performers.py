"""The performers of the durable work of subscriptions, and the alerts for staff when it is parked."""

from __future__ import annotations

from jobs.registry import performs
from notifications.alerts import clear_alert, raise_alert
from subscriptions.follow_up import follow_up_subscription
from subscriptions.models import FollowUp


def alert_parked_follow_up(work: FollowUp) -> None:
    raise_alert(
        key=f"subscription-parked:{work.subscription_id}",
        title="A subscription can no longer be followed at Stripe",
        detail={"subscription": work.subscription_id, "error": work.end_of_error},
    )


@performs(FollowUp, when_parked=alert_parked_follow_up)
def perform_follow_up(work: FollowUp) -> None:
    follow_up_subscription(work)
    clear_alert(key=f"subscription-parked:{work.subscription_id}")
