"""Parts of a period end once, whatever happens at once on several connections."""

import pytest
from django.db import transaction
from django.test import Client

from accounts.tests.factories import TeacherFactory
from jobs.invariants import broken, installed_invariants
from payments.tests.races import at_once, before_the_commit, one_waits_for_the_other
from subscriptions.closing import end_what_is_over, share_slice
from subscriptions.credits import credit_balance, earn_credit, give_back_credit
from subscriptions.models import AccessSlice, AccessUse, LessonCredit, Subscription
from subscriptions.tests.factories import make_period, make_price
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

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shares_mature_at_once")]


@pytest.fixture(autouse=True)
def all_invariants_hold():
    yield
    assert broken(installed_invariants()) == {}


def atomic(action):
    def run():
        with transaction.atomic():
            return action()

    return run


def test_an_invoice_reported_by_many_at_once_gives_its_credits_once():
    """vm0-ai/vm0#10668: two deliveries of one event at once gave 60 credits instead of 30."""
    payment = order_of(make_period(subscription_with_credits()))
    outcomes = at_once(*[lambda: settle(payment)] * 6)
    assert [outcome[1].name for outcome in outcomes].count("SETTLED") == 1
    assert LessonCredit.objects.count() == 4
    assert (fees(), unearned()) == (0, 2900)


def test_workers_that_share_at_once_share_once():
    period = paid_period()
    teacher = TeacherFactory()
    use(period.subscription, teacher, 1)
    with later(days=16):
        assert sum(at_once(*[end_what_is_over] * 4)) == 1
    assert (earned_by(teacher), unearned()) == (810, 2000)


@pytest.mark.parametrize("is_refund_first", [True, False])
def test_a_slice_is_shared_or_given_back_never_both(is_refund_first):
    period = paid_period()
    teacher = TeacherFactory()
    use(period.subscription, teacher, 1)
    part = AccessSlice.objects.get()
    with later(days=16):
        if is_refund_first:
            # The worker leaves alone what a refund has locked; the next run finds nothing to share.
            _, shared = before_the_commit(lambda: refund_period(period), lambda: share_slice(part.pk))
            assert shared is False
            assert share_slice(part.pk) is False
        else:
            one_waits_for_the_other(lambda: share_slice(part.pk), lambda: refund_period(period))
    part.refresh_from_db()
    assert part.state == ("revoked" if is_refund_first else "shared")
    assert earned_by(teacher) == (0 if is_refund_first else 810)
    assert fees() == (0 if is_refund_first else -810)
    assert unearned() == 0


@pytest.mark.parametrize("is_refund_first", [True, False])
def test_a_credit_is_taken_before_the_refund_or_not_at_all(is_refund_first):
    period = paid_period()
    user, teacher = period.subscription.user, TeacherFactory()

    def use_one():
        return take(user, teacher, "lesson:1")

    pair = [lambda: refund_period(period), use_one]
    at_once(*(pair if is_refund_first else reversed(pair)))
    taken = LessonCredit.objects.filter(state="taken").count()
    assert taken in {0, 1}
    assert LessonCredit.objects.filter(state="revoked").count() == 4 - taken
    assert unearned() == 500 * taken
    assert credit_balance(user.pk).count == 0


def test_a_credit_is_earned_or_comes_back_never_both():
    period = paid_period()
    user, teacher = period.subscription.user, TeacherFactory()
    take(user, teacher, "lesson:1")
    earned, returned = at_once(atomic(lambda: earn_credit("lesson:1")), atomic(lambda: give_back_credit("lesson:1")))
    assert earned is not returned
    assert earned_by(teacher) == (450 if earned else 0)
    assert credit_balance(user.pk).count == (3 if earned else 4)


def test_the_same_lesson_opened_in_many_tabs_is_one_use():
    period = paid_period()
    teacher = TeacherFactory()
    at_once(*[lambda: use(period.subscription, teacher, 1, finished=[1])] * 6)
    assert AccessUse.objects.count() == 1


def test_subscribe_pressed_in_several_tabs_at_once_opens_one_page(ada):
    price = make_price()

    def press():
        client = Client()
        client.force_login(ada.user)
        return client.post(f"/plans/prices/{price.pk}/subscribe/")["Location"]

    addresses = set(at_once(*[press] * 4))
    open_pages = [page for page in ada.sandbox.get("checkout/sessions", limit=10)["data"] if page["status"] == "open"]
    assert len(open_pages) == 1
    assert open_pages[0]["url"] in addresses
    assert Subscription.objects.filter(ended_at=None).count() == 1
