"""A refund made in Stripe's Dashboard may fall on any line of its payment until staff allocate it: no teacher is paid that money."""

import pytest

from accounts.tests.factories import TeacherFactory, UserFactory
from jobs.invariants import broken
from money import Money
from payments.earnings.maturing import mature_earning
from payments.invariants import INVARIANTS
from payments.models import Payout, PayoutSchedule
from payments.payouts.kept_back import kept_back_amounts
from payments.payouts.requests import BelowMinimum, MoreThanAvailable, payable_amounts, request_payout
from payments.payouts.schedules import choose_schedule, request_scheduled_payouts
from payments.refunds.decisions import allocate_refund, preview_of_allocation
from payments.refunds.plan import LinePart, OfLines
from payments.settlement import settle_payment
from payments.tests.factories import evidence_for, open_order, sample_offer
from payments.tests.payout_factories import books_of, ready_account
from payments.tests.test_payout_pages import ask, page_of
from payments.tests.test_refund_allocation import made_in_dashboard
from payments.tests.test_refund_effects import stripe_says

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shares_mature_at_once(settings):
    settings.EARNINGS_HELD_FOR = settings.EARNINGS_HELD_FOR * 0
    settings.PAYOUT_MINIMUMS = {}


@pytest.fixture
def teachers():
    """Ann, whose share of an order will be 22.50, and Ben, whose share will be 13.50."""
    ann, ben = TeacherFactory(), TeacherFactory()
    ready_account(ann)
    ready_account(ben)
    return ann, ben


def sold(*teachers, prices=(2500, 1500), matured=True):
    """The payment of an order with a line of each teacher, whose shares are available."""
    pairs = zip(teachers, prices, strict=True)
    payment = open_order(*[sample_offer(Money(price, "GBP"), teacher=teacher) for teacher, price in pairs])
    settle_payment(evidence_for(payment))
    payment.refresh_from_db()
    for line in payment.order.lines.all():
        assert not matured or mature_earning(line.pk)
    return payment


def allocate(refund, **minors):
    """Allocate a refund: so much of it to each teacher's line, by the lines' prices."""
    lines = {f"of_{line.amount_minor}": line.pk for line in refund.payment.order.lines.all()}
    parts = [LinePart(line_id=lines[name], amount=Money(minor, "GBP")) for name, minor in minors.items() if minor]
    seen = preview_of_allocation(refund, OfLines(parts)).digest
    staff = UserFactory(is_staff=True)
    return allocate_refund(refund_id=refund.pk, wanted=OfLines(parts), seen=seen, note="", by_id=staff.pk)


def payable(teacher):
    return payable_amounts(teacher.pk)["GBP"].minor


def ask_for_all(teacher):
    try:
        return request_payout(teacher=teacher, currency="GBP").amount.minor
    except BelowMinimum:
        return 0


@pytest.mark.parametrize("status", ["succeeded", "pending"])
@pytest.mark.parametrize(
    ("minor", "to_ann", "paid"),
    [
        (1000, 1000, (1250, 350)),
        (1000, 0, (1250, 350)),
        (1000, 400, (1250, 350)),
        (2000, 2000, (250, 0)),
        (2000, 500, (250, 0)),
        (3900, 2500, (0, 0)),
    ],
)
def test_no_allocation_after_both_were_paid_leaves_a_debt(teachers, minor, to_ann, paid, status):
    ann, ben = teachers
    refund = made_in_dashboard(sold(ann, ben), minor, status=status)
    assert (ask_for_all(ann), ask_for_all(ben)) == paid
    allocate(refund, of_2500=to_ann, of_1500=minor - to_ann)
    assert books_of(ann)[0] >= 0
    assert books_of(ben)[0] >= 0
    assert broken(INVARIANTS) == {}


def test_once_it_is_allocated_the_other_teacher_is_paid_all_of_theirs(teachers):
    ann, ben = teachers
    refund = made_in_dashboard(sold(ann, ben), 1000)
    assert (payable(ann), payable(ben)) == (1250, 350)
    allocate(refund, of_2500=1000)
    assert (payable(ann), payable(ben)) == (1350, 1350)


def test_a_refund_that_fails_keeps_nothing_back_any_more(teachers):
    ann, ben = teachers
    refund = made_in_dashboard(sold(ann, ben), 1000, status="pending")
    stripe_says(refund, "failed")
    assert (payable(ann), payable(ben)) == (2250, 1350)


def test_a_share_that_is_pending_is_not_kept_back_from_what_is_available(teachers):
    ann, ben = teachers
    sold(ann, ben)
    late = sold(ann, ben, matured=False)
    made_in_dashboard(late, 1000)
    assert (payable(ann), payable(ben)) == (2250, 1350)
    assert mature_earning(late.order.lines.get(amount_minor=2500).pk)
    assert (payable(ann), payable(ben)) == (2250 + 1250, 1350)


def test_refunds_of_one_payment_add_up_to_the_share_and_those_of_several_payments_to_all_of_them(teachers):
    ann, ben = teachers
    first, second = sold(ann, ben), sold(ann, ben)
    made_in_dashboard(first, 1000)
    made_in_dashboard(first, 900)
    made_in_dashboard(second, 500)
    assert kept_back_amounts(ann.pk) == {"GBP": Money(1900 + 500, "GBP")}
    assert kept_back_amounts(ben.pk) == {"GBP": Money(1350 + 500, "GBP")}
    assert kept_back_amounts(TeacherFactory().pk) == {}


def test_what_is_left_of_the_share_counts_not_what_it_was(teachers):
    ann, ben = teachers
    payment = sold(ann, ben)
    allocate(made_in_dashboard(payment, 2000), of_2500=2000)
    made_in_dashboard(payment, 900)
    assert kept_back_amounts(ann.pk) == {"GBP": Money(450, "GBP")}
    assert payable(ann) == 0


def test_the_refusal_and_the_page_say_what_is_kept_back(teachers):
    ann, ben = teachers
    made_in_dashboard(sold(ann, ben), 1000)
    with pytest.raises(MoreThanAvailable, match=r"Only £12\.50 is available\. £10\.00 is kept back for a refund\."):
        request_payout(teacher=ann, currency="GBP", amount=Money(1251, "GBP"))
    page = page_of(ann)
    assert 'Available <strong class="price">£22.50</strong>' in page
    assert "£10.00 is kept back: a student was refunded" in page
    assert "Leave it empty for all of £12.50." in page
    ask(ann)
    assert Payout.objects.get(teacher=ann).amount_minor == 1250


def test_the_page_of_a_teacher_of_whom_all_is_kept_back_has_no_form(teachers):
    ann, ben = teachers
    made_in_dashboard(sold(ann, ben), 2000)
    page = page_of(ben)
    assert "£13.50 is kept back" in page
    assert "The rest is below the minimum payout" in page


def test_a_schedule_requests_only_what_is_not_kept_back(teachers):
    ann, ben = teachers
    made_in_dashboard(sold(ann, ben), 1000)
    choose_schedule(ann, PayoutSchedule.Interval.WEEKLY)
    PayoutSchedule.objects.update(next_on="2020-01-01")
    request_scheduled_payouts()
    assert Payout.objects.get().amount_minor == 1250
