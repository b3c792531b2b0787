"""What a paid period gives, and where each penny of it is until it has ended."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.tests.factories import TeacherFactory
from ledger.models import Journal
from payments.earnings.movements import as_movements, rows_of_movements
from subscriptions.closing import end_what_is_over
from subscriptions.credits import NoCredit, credit_balance, earn_credit, give_back_credit
from subscriptions.models import AccessShare, AccessSlice, LessonCredit, SubscriptionPeriod
from subscriptions.periods import open_period, revoke_period
from subscriptions.tests.factories import make_plan, make_price, make_subscription
from subscriptions.tests.paid import (
    earned_by,
    fees,
    later,
    order_of,
    paid_period,
    refund_period,
    settle,
    subscription_with_credits,
    take,
    unearned,
    use,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold", "shares_mature_at_once")]


def states(period):
    return [credit.state for credit in period.lesson_credits.all()]


def test_a_paid_period_defers_its_price_and_gives_its_credits():
    period = paid_period()
    assert (fees(), unearned()) == (0, 2900)
    assert [credit.value_minor for credit in period.lesson_credits.all()] == [500] * 4
    assert [part.amount_minor for part in period.slices.all()] == [900]
    assert credit_balance(period.subscription.user_id).count == 4


def test_the_payment_reported_twice_gives_nothing_twice():
    """vm0-ai/vm0#10668: the same invoice, delivered twice, gave its credits twice."""
    period = paid_period()
    with transaction.atomic():
        open_period(SubscriptionPeriod.objects.get(pk=period.pk))
    assert LessonCredit.objects.count() == 4
    assert unearned() == 2900


def test_a_year_is_shared_monthly_to_the_last_penny():
    price = make_price(make_plan(grants_courses=True), interval="year", amount_minor=9999)
    now = timezone.now()
    subscription = make_subscription(price, period_starts_at=now, period_ends_at=now + timedelta(days=365))
    period = paid_period(subscription)
    amounts = [part.amount_minor for part in period.slices.all()]
    assert len(amounts) == 12
    assert sum(amounts) == 9999
    assert set(amounts) == {833, 834}
    teacher = TeacherFactory()
    use(subscription, teacher, 1)
    with later(days=32):
        assert end_what_is_over() == 1
        assert earned_by(teacher) == 834 - 83
        assert unearned() == 9999 - 834


def test_a_trial_gives_access_and_no_money():
    period = paid_period(make_subscription(status="trialing"), amount_minor=0)
    assert not AccessSlice.objects.exists()
    assert not Journal.objects.exists()
    assert period.opened_at is not None


def test_access_is_shared_by_use_when_its_time_is_over():
    period = paid_period()
    much, little, none = TeacherFactory(), TeacherFactory(), TeacherFactory()
    use(period.subscription, much, 1, 2, 3, finished=[1])
    use(period.subscription, little, 7, 7, finished=[7])
    assert end_what_is_over() == 0
    with later(days=16):
        assert end_what_is_over() == 1
        assert end_what_is_over() == 0
    # 4 and 2 points of 9.00, less 10 %.
    assert (earned_by(much), earned_by(little), earned_by(none)) == (540, 270, 0)
    assert (fees(), unearned()) == (90, 2000)
    assert list(AccessShare.objects.values_list("points", flat=True)) == [4, 2]


def test_what_was_used_before_or_after_the_slice_does_not_count():
    period = paid_period()
    teacher = TeacherFactory()
    with later(days=-17):
        use(period.subscription, teacher, 1)
    with later(days=15, minutes=5):
        use(period.subscription, teacher, 2)
        assert end_what_is_over() == 1
    assert earned_by(teacher) == 0
    assert fees() == 900


def test_a_lesson_that_is_used_every_day_counts_once():
    period = paid_period()
    daily, once = TeacherFactory(), TeacherFactory()
    use(period.subscription, once, 1)
    for day in range(5):
        with later(days=day):
            use(period.subscription, daily, 2)
    with later(days=16):
        end_what_is_over()
    assert earned_by(daily) == earned_by(once) == 405


def test_what_nobody_used_is_the_platforms():
    paid_period()
    with later(days=16):
        end_what_is_over()
    assert (fees(), unearned()) == (900, 2000)


def test_a_credit_is_earned_once_with_the_teachers_own_commission():
    period = paid_period()
    teacher = TeacherFactory(commission_bps=2000)
    take(period.subscription.user, teacher, "lesson:1")
    # A later change of the commission does not change what was agreed.
    type(teacher).objects.filter(pk=teacher.pk).update(commission_bps=5000)
    assert (earned_by(teacher), unearned()) == (0, 2900)
    assert earn_credit("lesson:1")
    assert not earn_credit("lesson:1")
    assert (earned_by(teacher), fees(), unearned()) == (400, 100, 2400)
    (movement,) = as_movements(rows_of_movements(teacher.pk), teacher_id=teacher.pk)
    assert (movement.title, movement.description, movement.amount.minor) == (
        "Lesson taken with a credit",
        "French lesson",
        400,
    )
    assert movement.order_number == ""


def test_a_credit_is_not_earned_before_the_holding_time_of_the_payment_is_over(settings):
    settings.EARNINGS_HELD_FOR = timedelta(days=7)
    period = paid_period()
    teacher = TeacherFactory()
    take(period.subscription.user, teacher, "lesson:1")
    assert not earn_credit("lesson:1")
    with later(days=8):
        assert earn_credit("lesson:1")


def test_a_credit_that_comes_back_can_be_used_again():
    period = paid_period()
    user, teacher = period.subscription.user, TeacherFactory()
    for number in range(4):
        take(user, teacher, f"lesson:{number}")
    with pytest.raises(NoCredit):
        take(user, teacher, "lesson:5")
    assert give_back_credit("lesson:2")
    assert not give_back_credit("lesson:2")
    take(user, teacher, "lesson:5")
    assert credit_balance(user.pk).count == 0


def test_one_thing_takes_one_credit():
    period = paid_period()
    take(period.subscription.user, TeacherFactory(), "lesson:1")
    with pytest.raises(IntegrityError), transaction.atomic():
        take(period.subscription.user, TeacherFactory(), "lesson:1")


def test_a_credit_worth_less_than_the_teacher_agreed_to_is_not_taken():
    period = paid_period()
    user, teacher = period.subscription.user, TeacherFactory()
    for least in ({"GBP": 501}, {"EUR": 1}, {}):
        with pytest.raises(NoCredit):
            take(user, teacher, "x", least)
    assert take(user, teacher, "x", least={"GBP": 500}).value_minor == 500


def test_unused_credits_are_carried_over_once_and_then_lapse():
    first = paid_period()
    subscription, teacher = first.subscription, TeacherFactory()
    take(subscription.user, teacher, "lesson:1")
    with later(days=16):
        # The renewal is not paid yet: nothing can be used, and nothing lapses.
        assert credit_balance(subscription.user_id).count == 0
        end_what_is_over()
        assert states(first) == ["taken", "unused", "unused", "unused"]
        second = paid_period(
            subscription, kind="renewal", starts_at=first.ends_at, ends_at=first.ends_at + timedelta(30)
        )
        assert credit_balance(subscription.user_id).count == 7
        # The older ones go first.
        assert take(subscription.user, teacher, "lesson:2").period_id == first.pk
        give_back_credit("lesson:1")
    with later(days=46):
        end_what_is_over()
        assert states(first) == ["lapsed", "taken", "lapsed", "lapsed"]
        assert states(second) == ["unused"] * 4
        third = paid_period(
            subscription, kind="renewal", starts_at=second.ends_at, ends_at=second.ends_at + timedelta(30)
        )
        assert credit_balance(subscription.user_id).count == 8
        assert not first.lesson_credits.filter(usable_until__gt=second.ends_at).exists()
        assert third.lesson_credits.count() == 4
    assert unearned() == 500 + 4 * 500 + 2900
    # Shared: two slices of access that nobody used; lapsed: three credits.
    assert fees() == 2 * 900 + 3 * 500


def test_credits_of_a_subscription_that_ended_lapse_with_their_period():
    period = paid_period()
    type(period.subscription).objects.filter(pk=period.subscription_id).update(
        status="ended", ended_at=timezone.now(), end_reason="cancelled"
    )
    assert end_what_is_over() == 0
    assert credit_balance(period.subscription.user_id).count == 4
    with later(days=16):
        assert end_what_is_over() == 5
        period.refresh_from_db()
        assert period.closed_at is not None
    assert (fees(), unearned()) == (2900, 0)


def test_a_refund_takes_back_what_is_left_and_leaves_teachers_what_they_earned():
    period = paid_period()
    user, taught, to_come = period.subscription.user, TeacherFactory(), TeacherFactory()
    take(user, taught, "lesson:1")
    earn_credit("lesson:1")
    take(user, to_come, "lesson:2")
    refund_period(period)
    period.refresh_from_db()
    assert states(period) == ["earned", "taken", "revoked", "revoked"]
    assert credit_balance(user.pk).count == 0
    # 29.00 went back to the student; 4.50 are earned and 5.00 wait for the lesson, which the platform bears.
    assert (earned_by(taught), unearned(), fees()) == (450, 500, -950)
    earn_credit("lesson:2")
    assert (earned_by(to_come), unearned(), fees()) == (450, 0, -900)


def test_a_refund_of_an_unused_period_leaves_nothing_anywhere():
    """getlago/lago-api#738: credited in full, then ended: the rest was given back a second time."""
    period = paid_period()
    refund_period(period)
    with transaction.atomic():
        revoke_period(SubscriptionPeriod.objects.get(pk=period.pk))
    with later(days=40):
        end_what_is_over()
    assert (fees(), unearned()) == (0, 0)
    period.refresh_from_db()
    assert period.closed_at is not None


def test_a_credit_that_comes_back_after_the_refund_is_taken_back():
    period = paid_period()
    user = period.subscription.user
    take(user, TeacherFactory(), "lesson:1")
    refund_period(period)
    give_back_credit("lesson:1")
    assert states(period) == ["revoked"] * 4
    assert credit_balance(user.pk).count == 0
    assert (fees(), unearned()) == (0, 0)


def test_a_period_refunded_before_it_was_opened_gives_nothing():
    """InsForge/InsForge#1674: the refund came before the payment."""
    period = paid_period(amount_minor=0, credits=0, credit_value_minor=0)
    SubscriptionPeriod.objects.filter(pk=period.pk).update(opened_at=None)
    with transaction.atomic():
        revoke_period(SubscriptionPeriod.objects.get(pk=period.pk))
        open_period(SubscriptionPeriod.objects.get(pk=period.pk))
    period.refresh_from_db()
    assert period.opened_at is None


def test_credits_are_worth_no_more_than_what_was_paid():
    """A coupon at Stripe, or tax, leaves less than the credits' values: they share what there is."""
    subscription = subscription_with_credits()
    period = paid_period(subscription, amount_minor=2000)
    payment = order_of(paid_period(subscription, amount_minor=0, credits=0, credit_value_minor=0))
    assert payment.amount_minor == 0
    assert [credit.value_minor for credit in period.lesson_credits.all()] == [500] * 4
    assert not period.slices.exists()


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 2999), ("KWD", 29_990), ("EUR", 1)])
def test_every_currency_adds_up(currency, amount):
    price = make_price(make_plan(grants_courses=True), currency=currency, amount_minor=amount)
    period = paid_period(make_subscription(price))
    teachers = [TeacherFactory() for _ in range(3)]
    for number, teacher in enumerate(teachers, start=1):
        use(period.subscription, teacher, *range(number))
    with later(days=16):
        end_what_is_over()
    assert sum(earned_by(teacher, currency) for teacher in teachers) + fees(currency) == amount
    assert unearned(currency) == 0


def test_a_settlement_after_the_period_was_opened_is_success():
    period = paid_period()
    again = settle(period.line.order.payments.get())
    assert again[1].value == "payment_already_processed"
    assert LessonCredit.objects.count() == 4


def test_a_credit_that_comes_back_after_its_end_can_be_used_for_two_weeks():
    """A teacher may cancel a lesson long after the credit would have lapsed."""
    first = paid_period()
    subscription, teacher = first.subscription, TeacherFactory()
    take(subscription.user, teacher, "lesson:1")
    with later(days=31):
        paid_period(subscription, kind="renewal", starts_at=first.ends_at, ends_at=first.ends_at + timedelta(30))
    with later(days=70):
        assert give_back_credit("lesson:1")
        end_what_is_over()
        assert take(subscription.user, teacher, "lesson:2").period_id == first.pk
        give_back_credit("lesson:2")
    with later(days=85):
        end_what_is_over()
        assert states(first) == ["lapsed"] * 4


def test_a_credit_that_comes_back_at_the_end_of_its_month_is_carried_over_like_the_others():
    first = paid_period()
    subscription, teacher = first.subscription, TeacherFactory()
    take(subscription.user, teacher, "lesson:1")
    with later(days=25):
        give_back_credit("lesson:1")
    with later(days=31):
        second = paid_period(
            subscription, kind="renewal", starts_at=first.ends_at, ends_at=first.ends_at + timedelta(30)
        )
        assert set(first.lesson_credits.values_list("usable_until", flat=True)) == {second.ends_at}
