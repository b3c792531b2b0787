"""Make teachers' shares available once their holding time is over and they are earned, as the domain says."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ledger.entries import JournalKind
from ledger.journals import record_journal
from money import Money
from notifications.alerts import raise_alert
from payments.earnings.entries import entries_of_maturity
from payments.earnings.platform_discounts import subject_of
from payments.models import Earning, Order
from payments.models.clock import ClockTimestamp
from payments.registry import UnknownDomain, earned_words, handler_for

log = structlog.get_logger()

_LINES_PER_RUN = 2000
# Lessons and workshops are moved, so a moment in the future is asked for again.
_LOOK_AGAIN_AFTER = timedelta(hours=12)


def mature_earnings(*, at_most: int = _LINES_PER_RUN) -> int:
    """Look at the earnings whose time has come, each in a transaction of its own; returns how many became available.

    A repeat, or a second process at the same time, makes nothing available twice.
    """
    due = Earning.objects.filter(matured_at=None, look_at__lte=timezone.now()).order_by("look_at")
    return sum(_mature_or_report(line_id) for line_id in due.values_list("pk", flat=True)[:at_most])


def _mature_or_report(line_id: int) -> bool:
    """As mature_earning. One line's trouble stops no other: staff get an alert, and it is looked at again later."""
    try:
        return mature_earning(line_id)
    except Exception as error:  # of the line's domain, or of the books
        log.exception("earning_not_matured", line=line_id)
        Earning.objects.filter(pk=line_id).update(look_at=timezone.now() + _LOOK_AGAIN_AFTER)
        raise_alert(
            key=f"earning-not-matured:{line_id}",
            title="A teacher's share cannot become available",
            detail={"line": line_id, "error": repr(error)[:500]},
        )
        return False


def mature_earning(line_id: int) -> bool:
    """Make one line's share available if its time has come, otherwise note when to look again."""
    with transaction.atomic():
        # Refunds and disputes of the line hold the same lock: they see the share either pending or available.
        order = Order.objects.select_for_update(of=("self",), skip_locked=True).filter(lines=line_id).first()
        earning = Earning.objects.filter(pk=line_id, matured_at=None).select_related("line").first()
        if order is None or earning is None:
            return False
        earning.line.order = order
        now = timezone.now()
        earning.matures_at = _matures_at(earning, order)
        if earning.matures_at > now:
            earning.look_at = min(earning.matures_at, now + _LOOK_AGAIN_AFTER)
        else:
            _make_available(earning)
        earning.save(update_fields=["matures_at", "look_at", "matured_at", "matured_minor"])
    return earning.is_available


def _matures_at(earning: Earning, order: Order) -> datetime:
    """The later of the end of the holding time and the moment the domain names, if it names one."""
    held_until = (order.paid_at or timezone.now()) + settings.EARNINGS_HELD_FOR
    try:
        earned_at = handler_for(earning.line.domain).earned_at(earning.line.as_sold())
    except UnknownDomain:
        return held_until
    return max(held_until, earned_at) if earned_at else held_until


def when_available() -> str:
    """When shares become available, in words for teachers."""
    held = settings.EARNINGS_HELD_FOR.days
    after = f"{held} day{'' if held == 1 else 's'} after the payment" if held else "with the payment"
    earned = "; ".join(earned_words())
    return f"A share becomes available {after}, but not before it is earned{f': {earned}' if earned else ''}."


def _make_available(earning: Earning) -> None:
    left = earning.line.share_left
    earning.look_at = None
    # By the database's clock, as the histories of refunds and disputes: which came first decides the account.
    earning.matured_at = ClockTimestamp()
    earning.matured_minor = left.minor
    record_journal(
        source=f"line:{earning.line.order.number}:{earning.pk}:matured",
        kind=JournalKind.MATURITY,
        subject=subject_of(earning.line.order),
        description=earning.line.title,
        entries=entries_of_maturity(Money(left.minor, earning.currency), earning.teacher_id),
    )
