"""The journals of subscriptions are derived a second time from their rows, and their invariants notice what is wrong."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.tests.factories import TeacherFactory
from jobs.invariants import broken, installed_invariants
from ledger.hashing import hash_of_books
from ledger.models import Journal
from payments.rebuilding.rebuild import rebuild
from payments.rebuilding.second_books import compare_books, create_second_books
from subscriptions.closing import end_what_is_over
from subscriptions.credits import earn_credit
from subscriptions.models import AccessShare, AccessSlice, LessonCredit, SubscriptionPeriod
from subscriptions.periods import open_period
from subscriptions.tests.paid import later, paid_period, refund_period, subscription_with_credits, take, use

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shares_mature_at_once")]


@pytest.fixture
def periods():
    """One whose parts ended each way, one refunded, one open."""
    first = paid_period()
    teachers = [TeacherFactory() for _ in range(3)]
    for number, teacher in enumerate(teachers, start=1):
        use(first.subscription, teacher, *range(number))
    take(first.subscription.user, teachers[0], "lesson:1")
    take(first.subscription.user, teachers[1], "lesson:2")
    earn_credit("lesson:1")
    refunded = paid_period(subscription_with_credits())
    refund_period(refunded)
    type(first.subscription).objects.filter(pk=first.subscription_id).update(
        status="ended", ended_at=timezone.now(), end_reason="cancelled"
    )
    with later(days=16):
        end_what_is_over()
        still_open = paid_period(subscription_with_credits())
    return first, refunded, still_open


def test_books_of_subscriptions_are_derived_with_the_same_hash(periods):
    create_second_books("ashes")
    list(rebuild("ashes", account="acct_1", livemode=False))
    comparison = compare_books("ashes")
    assert (comparison.only_first, comparison.only_second, comparison.different) == ([], [], [])
    assert comparison.is_equal
    assert comparison.first_hash == hash_of_books()
    kinds = set(Journal.objects.values_list("kind", flat=True))
    assert kinds >= {"subscription_deferred", "subscription_released", "credit_earned", "access_earned"}


def test_a_part_that_was_changed_is_found_by_the_rebuild(periods):
    AccessShare.objects.filter(points=3).update(points=4, share_minor=0)
    create_second_books("ashes")
    list(rebuild("ashes", account="acct_1", livemode=False))
    assert compare_books("ashes").different == [f"subscription:{periods[0].stripe_invoice_id}:access:1:earned"]


def change_value():
    LessonCredit.objects.filter(state="unused").update(value_minor=499)


def lose_a_credit():
    LessonCredit.objects.filter(state="unused").first().delete()


def end_in_name_only():
    AccessSlice.objects.filter(state="open").update(state="shared", ended_at=timezone.now())


def share_too_much():
    AccessShare.objects.update(fee_minor=1000)


def revoke_in_name_only():
    SubscriptionPeriod.objects.filter(revoked_at=None).update(revoked_at=timezone.now())


def forget_the_journals():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE ledger_posting DISABLE TRIGGER USER")
        cursor.execute(
            "DELETE FROM ledger_posting WHERE journal_id IN (SELECT id FROM ledger_journal WHERE source LIKE '%:opened')"
        )
        cursor.execute("ALTER TABLE ledger_posting ENABLE TRIGGER USER")


@pytest.mark.parametrize(
    ("name", "break_it"),
    [
        ("unearned_is_what_is_open", change_value),
        ("unearned_is_what_is_open", end_in_name_only),
        ("unearned_is_what_is_open", forget_the_journals),
        ("credits_are_all_accounted_for", lose_a_credit),
        ("periods_are_divided_in_full", change_value),
        ("slices_are_shared_within_their_amount", share_too_much),
        ("refunded_periods_give_nothing", revoke_in_name_only),
    ],
)
def test_a_broken_invariant_is_detected(periods, name, break_it):
    assert broken(installed_invariants()) == {}
    break_it()
    assert broken(installed_invariants())[f"subscriptions.{name}"]


def test_a_period_that_another_month_follows_is_opened_whatever_the_order_of_reports(periods):
    first = periods[2]
    second = paid_period(
        first.subscription, kind="renewal", starts_at=first.ends_at, ends_at=first.ends_at + timedelta(days=30)
    )
    open_period(second)
    assert broken(installed_invariants()) == {}
