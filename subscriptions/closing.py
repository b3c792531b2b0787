"""End what is over: share slices of access by use, let unused credits lapse, and close periods of which nothing is left.

Run by beat as often as it likes, in as many processes as it likes: each part is locked, and ends once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from notifications.alerts import raise_alert
from payments.orders import commission_rates
from subscriptions.books import book_slice_shared
from subscriptions.models import AccessShare, AccessSlice, LessonCredit, Subscription, SubscriptionPeriod
from subscriptions.periods import release_credit
from subscriptions.sharing import SharedSlice, share_by_use
from subscriptions.use import points_by_teacher

log = structlog.get_logger()
_AT_MOST = 2000


def end_what_is_over() -> int:
    """Share, lapse and close what is due; returns how many parts ended. A repeat finds none of them."""
    now = timezone.now()
    slices = AccessSlice.objects.filter(state=AccessSlice.State.OPEN, ends_at__lte=now).order_by("ends_at")
    shared = sum(_or_report(share_slice, pk) for pk in slices.values_list("pk", flat=True)[:_AT_MOST])
    lapsed = sum(_or_report(lapse_credit, pk) for pk in _credits_over(now).values_list("pk", flat=True)[:_AT_MOST])
    close_periods()
    return shared + lapsed


def share_slice(slice_id: int) -> bool:
    """Share one slice that is over; False if it was shared or given back before, or another process does so now."""
    with transaction.atomic():
        part = (
            AccessSlice.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("period__price__plan")
            .filter(pk=slice_id, state=AccessSlice.State.OPEN, ends_at__lte=timezone.now())
            .first()
        )
        if part is None:
            return False
        part.state, part.ended_at = AccessSlice.State.SHARED, timezone.now()
        part.save(update_fields=["state", "ended_at"])
        book_slice_shared(part, _write_shares(part))
    return True


def lapse_credit(credit_id: int) -> bool:
    """Let one unused credit lapse whose time is over; False if it was used or ended meanwhile."""
    with transaction.atomic():
        locked = LessonCredit.objects.select_for_update(of=("self",), skip_locked=True).select_related("period")
        credit = locked.filter(pk__in=_credits_over(timezone.now()), pk=credit_id).first()
        if credit is None:
            return False
        release_credit(credit, LessonCredit.State.LAPSED, at=timezone.now())
    return True


def close_periods() -> int:
    """Note on periods that nothing of their money is left; returns how many were closed."""
    own = {"period": OuterRef("pk")}
    is_open = Exists(AccessSlice.objects.filter(**own, state=AccessSlice.State.OPEN)) | Exists(
        LessonCredit.objects.filter(**own, state__in=LessonCredit.OPEN)
    )
    now = timezone.now()
    over = Q(ends_at__lte=now) | Q(revoked_at__isnull=False)
    return SubscriptionPeriod.objects.filter(over, ~is_open, closed_at=None, opened_at__isnull=False).update(
        closed_at=now
    )


def _credits_over(now: datetime) -> QuerySet[LessonCredit]:
    """Unused credits that nothing can extend any more.

    While the subscription goes on, a renewal that is paid late still carries credits over to its period.
    """
    final = Q(is_carried=True) | Q(period__subscription__status=Subscription.Status.ENDED)
    return LessonCredit.objects.filter(final, state=LessonCredit.State.UNUSED, usable_until__lte=now)


def _write_shares(part: AccessSlice) -> list[AccessShare]:
    shared = _shared(part)
    return AccessShare.objects.bulk_create(
        AccessShare(
            slice=part,
            teacher_id=each.teacher_id,
            points=each.points,
            fee_minor=each.split.fee.minor,
            share_minor=each.split.share.minor,
        )
        for each in shared.parts
    )


def _shared(part: AccessSlice) -> SharedSlice:
    points = points_by_teacher(part.period.subscription_id, since=part.starts_at, until=part.ends_at)
    return share_by_use(part.amount, points, commission_rates(set(points)))


def _or_report(end: Callable[[int], bool], pk: int) -> bool:
    """One part's trouble stops no other: staff get an alert, and the next run tries again."""
    try:
        return end(pk)
    except Exception as error:  # of the books, or of a lock
        log.exception("subscription_part_not_ended", part=pk)
        raise_alert(
            key=f"subscription-part:{end.__name__}:{pk}",
            title="Part of a subscription could not be shared or closed",
            detail={"step": end.__name__, "id": pk, "error": repr(error)[:500]},
        )
        return False
