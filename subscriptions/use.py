"""What subscribers use of teachers' courses: recorded once a day and item, and counted when a slice is shared."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from subscriptions.models import AccessUse
from subscriptions.sharing import FINISHED, OPENED

_A_DAY = timedelta(days=1)


def record_use(*, subscription_id: int, teacher_id: int, item: str, is_finished: bool = False) -> None:
    """Remember that a subscriber opened an item, or finished it, today. One statement; a repeat changes nothing."""
    now = timezone.now()
    use = AccessUse(
        subscription_id=subscription_id,
        teacher_id=teacher_id,
        item=item,
        used_on=now.date(),
        opened_at=now,
        finished_at=now if is_finished else None,
    )
    if not is_finished:
        AccessUse.objects.bulk_create([use], ignore_conflicts=True)
        return
    AccessUse.objects.bulk_create(
        [use],
        update_conflicts=True,
        unique_fields=["subscription", "item", "used_on"],
        update_fields=["finished_at"],
    )


def points_by_teacher(subscription_id: int, *, since: datetime, until: datetime) -> dict[int, int]:
    """The points of each teacher's items in a time, without its end: each item counts once, however often it was used."""
    # A row is of one day, so what was finished in this time was opened at most a day before it.
    uses = AccessUse.objects.filter(
        subscription=subscription_id, opened_at__gte=since - _A_DAY, opened_at__lt=until
    ).order_by()
    opened = Q(opened_at__gte=since)
    finished = Q(finished_at__gte=since, finished_at__lt=until)
    rows = uses.values("teacher").annotate(
        opened=Count("item", filter=opened, distinct=True), finished=Count("item", filter=finished, distinct=True)
    )
    return {row["teacher"]: points for row in rows if (points := OPENED * row["opened"] + FINISHED * row["finished"])}
