"""Schedules that really run, and alerts when money is owed for longer than they say."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.models import Teacher
from jobs.schedule import beat_schedule
from ledger.models import Journal
from notifications.models import Alert, Mail
from payments import tasks
from payments.models import ConnectedAccount, Payout, PayoutSchedule
from payments.payouts.schedules import (
    alert_late_payouts,
    choose_schedule,
    next_day,
    owed_for_too_long,
    request_scheduled_payouts,
)
from payments.tests.payout_factories import books_of, earn, requested, teacher_with

pytestmark = pytest.mark.django_db

Interval = PayoutSchedule.Interval
DAY_1 = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("interval", "after", "day", "expected"),
    [
        (Interval.WEEKLY, date(2026, 12, 28), 28, date(2027, 1, 4)),
        (Interval.MONTHLY, date(2026, 12, 31), 31, date(2027, 1, 31)),
        (Interval.MONTHLY, date(2027, 1, 31), 31, date(2027, 2, 28)),
        (Interval.MONTHLY, date(2027, 2, 28), 31, date(2027, 3, 31)),
        (Interval.MONTHLY, date(2028, 1, 30), 30, date(2028, 2, 29)),
        (Interval.MONTHLY, date(2027, 11, 5), 5, date(2027, 12, 5)),
        (Interval.ON_REQUEST, DAY_1, 1, None),
    ],
)
def test_the_next_day_of_a_schedule(interval, after, day, expected):
    assert next_day(interval, after=after, day_of_month=day) == expected


def test_a_weekly_payout_is_requested_on_day_eight_and_one_on_request_never_by_itself():
    """PO-06 (spree#14606)."""
    weekly, manual = teacher_with(9000), teacher_with(4500)
    choose_schedule(weekly, Interval.WEEKLY, today=DAY_1)
    choose_schedule(manual, Interval.ON_REQUEST, today=DAY_1)
    for day in range(1, 8):
        assert request_scheduled_payouts(today=DAY_1 + timedelta(days=day - 1)) == 0
    assert request_scheduled_payouts(today=DAY_1 + timedelta(days=7)) == 1
    payout = Payout.objects.get()
    assert (payout.teacher, payout.amount_minor, payout.origin) == (weekly, 9000, "schedule")
    assert Mail.objects.filter(key=f"payout:{payout.reference}:requested", user=weekly.user).count() == 1
    # Once a day is enough, and the next is a week later.
    assert request_scheduled_payouts(today=DAY_1 + timedelta(days=7)) == 0
    assert PayoutSchedule.objects.get(teacher=weekly).next_on == DAY_1 + timedelta(days=14)
    assert requested(manual).amount_minor == 4500


def test_three_missed_weeks_are_one_payout_of_everything():
    teacher = teacher_with(9000)
    choose_schedule(teacher, Interval.WEEKLY, today=DAY_1)
    assert request_scheduled_payouts(today=DAY_1 + timedelta(days=28)) == 1
    assert books_of(teacher) == (0, 9000)
    assert PayoutSchedule.objects.get().next_on == DAY_1 + timedelta(days=35)


@pytest.mark.parametrize(
    ("interval", "chosen", "run", "expected"),
    [
        # Due on 28 February, and run on 2 March: the payout of March is still to come.
        (Interval.MONTHLY, date(2027, 1, 31), date(2027, 3, 2), date(2027, 3, 31)),
        (Interval.MONTHLY, date(2027, 11, 30), date(2028, 1, 1), date(2028, 1, 30)),
        (Interval.MONTHLY, date(2028, 1, 29), date(2028, 6, 29), date(2028, 7, 29)),
        # A week keeps its day.
        (Interval.WEEKLY, date(2027, 1, 4), date(2027, 1, 13), date(2027, 1, 18)),
    ],
)
def test_a_schedule_that_is_run_late_skips_no_later_day(interval, chosen, run, expected):
    """actualbudget/actual#5435, odysseus-dev/odysseus#1668: schedules at the end of a month skipped months."""
    choose_schedule(teacher_with(9000), interval, today=chosen)
    assert request_scheduled_payouts(today=run) == 1
    assert PayoutSchedule.objects.get().next_on == expected


def test_each_currency_stands_alone_and_too_little_rolls_on():
    teacher = teacher_with(8000, "EUR")
    earn(teacher, 50, "USD")
    choose_schedule(teacher, Interval.WEEKLY, today=DAY_1)
    assert request_scheduled_payouts(today=DAY_1 + timedelta(days=7)) == 1
    assert (books_of(teacher, "EUR"), books_of(teacher, "USD")) == ((0, 8000), (50, 0))
    assert Payout.objects.filter(status="failed").count() == 0


def test_one_teachers_trouble_stops_no_other(monkeypatch):
    first, second = teacher_with(9000), teacher_with(9000)
    for teacher in (first, second):
        choose_schedule(teacher, Interval.MONTHLY, today=DAY_1)
    ConnectedAccount.objects.filter(teacher=first).update(can_pay_out=False)
    assert request_scheduled_payouts(today=DAY_1 + timedelta(days=31)) == 1
    assert Payout.objects.get().teacher == second


def test_a_suspended_teachers_schedule_rests():
    teacher = teacher_with(9000)
    choose_schedule(teacher, Interval.WEEKLY, today=DAY_1)
    Teacher.objects.update(status=Teacher.Status.SUSPENDED)
    assert request_scheduled_payouts(today=DAY_1 + timedelta(days=7)) == 0


def test_a_schedule_chosen_again_keeps_its_day():
    teacher = teacher_with(0)
    choose_schedule(teacher, Interval.WEEKLY, today=DAY_1)
    schedule = choose_schedule(teacher, Interval.WEEKLY, today=DAY_1 + timedelta(days=3))
    assert schedule.next_on == DAY_1 + timedelta(days=7)
    schedule = choose_schedule(teacher, Interval.MONTHLY, today=DAY_1 + timedelta(days=3))
    assert schedule.next_on == date(2027, 1, 4)


def test_beat_runs_the_schedules():
    entry = beat_schedule()["payments.request_scheduled_payouts"]
    assert entry["schedule"] <= 3600
    teacher = teacher_with(9000)
    choose_schedule(teacher, Interval.WEEKLY, today=timezone.now().date() - timedelta(days=7))
    tasks.request_scheduled_payouts()
    assert Payout.objects.get().teacher == teacher


def long_ago(schedule, days):
    """Let schedule and money be older than they are. The books refuse changes, so the triggers rest meanwhile."""
    from django.db import connection

    PayoutSchedule.objects.filter(pk=schedule.pk).update(chosen_at=timezone.now() - timedelta(days=days))
    moment = timezone.now() - timedelta(days=days)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE ledger_posting SET recorded_at = %s, effective_at = %s", [moment, moment])
        cursor.execute("UPDATE ledger_journal SET recorded_at = %s, effective_at = %s", [moment, moment])
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    assert Journal.objects.exists()
    schedule.refresh_from_db()


def test_money_owed_for_longer_than_the_schedule_says_raises_an_alert_until_it_is_paid():
    teacher = teacher_with(9000)
    schedule = choose_schedule(teacher, Interval.WEEKLY)
    assert alert_late_payouts() == 0
    long_ago(schedule, days=9)
    assert owed_for_too_long(schedule, "GBP") is None
    long_ago(schedule, days=11)
    assert owed_for_too_long(schedule, "GBP").minor == 9000
    assert alert_late_payouts() == 1
    alerts = Alert.objects.filter(key=f"payout-owed:{teacher.pk}:GBP", cleared_at=None)
    assert alerts.exists()
    requested(teacher)
    assert alert_late_payouts() == 0
    assert not alerts.exists()


def test_money_that_came_only_now_or_is_gone_is_not_late():
    teacher = teacher_with(9000)
    schedule = choose_schedule(teacher, Interval.WEEKLY)
    long_ago(schedule, days=11)
    earn(teacher, -8500)
    assert owed_for_too_long(schedule, "GBP") is None
    earn(teacher, 50_000)
    assert owed_for_too_long(schedule, "GBP") is None


def test_a_request_that_waits_for_days_raises_an_alert():
    payout = requested()
    assert alert_late_payouts() == 0
    Payout.objects.filter(pk=payout.pk).update(requested_at=timezone.now() - timedelta(days=4))
    assert alert_late_payouts() == 1
    assert Alert.objects.get(key="payouts-waiting").detail == {"payouts": 1}
