"""Whether a person's plan opens what teachers included in plans, for apps above: they ask, and say what is used."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from subscriptions.models import Plan, Subscription, SubscriptionPeriod


def subscriptions_opening_courses(user_id: int) -> QuerySet[Subscription]:
    """The person's subscription whose plan opens courses now: in a trial, paid, or in the time left to pay; or none.

    A period that was refunded gives no access any more, unless another one covers this moment. Meant for EXISTS in other
    queries as well as for reading.
    """
    now = timezone.now()
    now_covering = SubscriptionPeriod.objects.filter(subscription=OuterRef("pk"), starts_at__lte=now, ends_at__gt=now)
    is_refunded = Exists(now_covering.filter(revoked_at__isnull=False))
    is_paid = Exists(now_covering.filter(revoked_at=None))
    live = Subscription.objects.giving_access(now).filter(user=user_id, price__plan__grants_courses=True)
    return live.exclude(is_refunded & ~is_paid)


def subscription_opening_courses(user_id: int) -> Subscription | None:
    """As `subscriptions_opening_courses`, read with its plan."""
    return subscriptions_opening_courses(user_id).select_related("price__plan").first()


def last_subscription_with_courses(user_id: int) -> Subscription | None:
    """The person's latest subscription to a plan with courses, also one that has ended, for pages that explain it."""
    began = Subscription.objects.filter(user=user_id, started_at__isnull=False, price__plan__grants_courses=True)
    return began.select_related("price__plan").order_by("-started_at").first()


def plans_with_courses() -> QuerySet[Plan]:
    """The plans on sale that open courses, in their order."""
    return Plan.objects.filter(is_on_sale=True, grants_courses=True)
