"""Payouts that teachers' schedules request, and the alert when money is owed for longer than a schedule says."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.models import Teacher
from ledger.balances import balance_of
from ledger.entries import AccountKind
from ledger.models import Posting
from money import Money
from notifications.alerts import clear_alert, raise_alert
from payments.models import Payout, PayoutSchedule
from payments.payouts.kept_back import kept_back_amounts
from payments.payouts.mails import queue_requested_by_schedule
from payments.payouts.requests import PayoutRefused, minimum_payout, payable_amounts, request_payout

log = structlog.get_logger()

_Interval = PayoutSchedule.Interval
# How long each interval may last, the days that staff have for a decision included.
_LONGEST = {_Interval.WEEKLY: timedelta(days=7), _Interval.MONTHLY: timedelta(days=31)}
# How many days staff have to decide on a request, and Stripe to make the transfer, before an alert.
DAYS_TO_PAY = timedelta(days=3)


def next_day(interval: str, *, after: date, day_of_month: int) -> date | None:
    """The next day of a schedule; None if it is on request. A month that is too short takes its last day."""
    if interval == _Interval.ON_REQUEST:
        return None
    if interval == _Interval.WEEKLY:
        return after + timedelta(days=7)
    year, month = after.year + after.month // 12, after.month % 12 + 1
    return date(year, month, min(day_of_month, calendar.monthrange(year, month)[1]))


def choose_schedule(
    teacher: Teacher, interval: PayoutSchedule.Interval, *, today: date | None = None
) -> PayoutSchedule:
    """Store how often a teacher is paid. A schedule that is chosen again keeps its next day."""
    today = today or timezone.now().date()
    with transaction.atomic():
        schedule, _ = PayoutSchedule.objects.select_for_update().get_or_create(teacher=teacher)
        if schedule.interval != interval:
            schedule.interval = interval
            schedule.chosen_at = timezone.now()
            schedule.day_of_month = today.day
            schedule.next_on = next_day(interval, after=today, day_of_month=today.day)
            schedule.save()
    return schedule


def request_scheduled_payouts(*, today: date | None = None) -> int:
    """Request the payouts of all schedules whose day has come; returns how many. One teacher's trouble stops no other."""
    today = today or timezone.now().date()
    requested = 0
    due = PayoutSchedule.objects.filter(next_on__lte=today, teacher__status=Teacher.Status.APPROVED).order_by("pk")
    for schedule_id in due.values_list("pk", flat=True):
        try:
            requested += _run(schedule_id, today)
        except Exception:  # the others must be paid
            log.exception("payout_schedule_failed", schedule=schedule_id)
            raise_alert(
                key=f"payout-schedule:{schedule_id}", title="A teacher's scheduled payout could not be requested"
            )
    return requested


def _run(schedule_id: int, today: date) -> int:
    with transaction.atomic():
        due = PayoutSchedule.objects.select_for_update(of=("self",)).select_related("teacher__user")
        schedule = due.filter(pk=schedule_id, next_on__lte=today).first()
        if schedule is None:
            return 0
        schedule.next_on = _first_day_after(today, schedule)
        schedule.save(update_fields=["next_on"])
        # Each currency by itself: one that is below its minimum rolls on, and holds up no other.
        return sum(_request(schedule.teacher, currency) for currency in sorted(payable_amounts(schedule.teacher_id)))


def _first_day_after(today: date, schedule: PayoutSchedule) -> date | None:
    """The schedule's first day after today, counted from its own days: one that is run late skips no month."""
    day = schedule.next_on
    while day is not None and day <= today:
        day = next_day(schedule.interval, after=day, day_of_month=schedule.day_of_month)
    return day


def _request(teacher: Teacher, currency: str) -> bool:
    try:
        payout = request_payout(teacher=teacher, currency=currency, origin=Payout.Origin.SCHEDULE)
    except PayoutRefused as refusal:
        log.info("scheduled_payout_not_due", teacher=teacher.pk, currency=currency, reason=str(refusal))
        return False
    queue_requested_by_schedule(payout)
    return True


def alert_late_payouts() -> int:
    """Alert staff to payouts that wait too long, and to money owed for longer than a schedule says; returns how many.

    An alert is cleared once its reason is gone.
    """
    late = 0
    deadline = timezone.now() - DAYS_TO_PAY
    waiting = Payout.objects.open().filter(requested_at__lt=deadline).count()
    late += _raise_or_clear(
        bool(waiting),
        key="payouts-waiting",
        title=f"Payouts have been waiting for more than {DAYS_TO_PAY.days} days",
        detail={"payouts": waiting},
    )
    scheduled = PayoutSchedule.objects.exclude(interval=_Interval.ON_REQUEST).select_related("teacher")
    return late + sum(_alert_if_owed(schedule) for schedule in scheduled.iterator())


def _alert_if_owed(schedule: PayoutSchedule) -> int:
    late = 0
    for currency in sorted(payable_amounts(schedule.teacher_id)):
        owed = owed_for_too_long(schedule, currency)
        late += _raise_or_clear(
            owed is not None,
            key=f"payout-owed:{schedule.teacher_id}:{currency}",
            title=f"{schedule.teacher} has been owed money for longer than their schedule says",
            detail={"amount": str(owed), "schedule": schedule.get_interval_display()},
        )
    return late


def owed_for_too_long(schedule: PayoutSchedule, currency: str) -> Money | None:
    """What a teacher has been owed since before their last interval began; None if that is less than the minimum.

    Money that was available then, was not taken since, may not be taken yet, and was not even requested.
    """
    since = timezone.now() - _LONGEST[_Interval(schedule.interval)] - DAYS_TO_PAY
    # A schedule that was chosen a moment ago is not late.
    if schedule.chosen_at > since:
        return None
    if Payout.objects.filter(teacher_id=schedule.teacher_id, currency=currency, requested_at__gte=since).exists():
        return None
    before = balance_of(AccountKind.TEACHER_AVAILABLE, currency, teacher_id=schedule.teacher_id, recorded_at=since)
    owed = before - _taken_since(since, schedule.teacher_id, currency)
    owed -= kept_back_amounts(schedule.teacher_id).get(currency, Money.zero(currency))
    return owed if minimum_payout(currency) <= owed else None


def _taken_since(moment: datetime, teacher_id: int, currency: str) -> Money:
    """What refunds and the like took from a teacher's available balance. They take the oldest money first."""
    taken = Posting.objects.filter(
        account__kind=AccountKind.TEACHER_AVAILABLE,
        account__teacher_id=teacher_id,
        account__currency=currency,
        recorded_at__gt=moment,
        amount_minor__gt=0,
    )
    return Money(int(taken.aggregate(total=Sum("amount_minor"))["total"] or 0), currency)


def _raise_or_clear(is_late: bool, *, key: str, title: str, detail: dict[str, object]) -> int:
    if is_late:
        raise_alert(key=key, title=title, detail=detail)
        return 1
    clear_alert(key=key)
    return 0
