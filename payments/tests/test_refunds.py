"""Requests for refunds: never more than what is left, even if many are made at once, and a repeat is the same one."""

import itertools
import uuid
from threading import Event

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.tests.factories import UserFactory
from money import Money
from payments.models import Order, OrderLine, Payment, Refund
from payments.orders import cancel_order
from payments.refunds.plan import InvalidRefundPart, LinePart, OfLines, OverAllLines, RefundExceedsRemaining, WholeOrder
from payments.refunds.requests import (
    OrderNotPaid,
    RequestKeyReused,
    plan_refund_of,
    refund_second_payment,
    request_refund_of_undeliverable,
)
from payments.settlement import settle_payment
from payments.tests.factories import evidence_for, open_order, paid_order, refunded, sample_offer
from payments.tests.races import at_once, wait_until_another_waits_for_a_lock
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db


def pounds(minor):
    return Money(minor, "GBP")


def figures(refund):
    parts = refund.allocations.order_by("line__amount_minor")
    return [(part.amount_minor, part.fee_minor, part.share_minor, part.quantity) for part in parts]


def counted(payment):
    """What the payment and its lines count as refunded."""
    payment.refresh_from_db()
    return payment.refunded_minor, sum(
        OrderLine.objects.filter(order=payment.order).values_list("refunded_minor", flat=True)
    )


def test_a_whole_order_is_refunded_line_by_line():
    payment = paid_order(2500, 1500)
    staff = UserFactory()
    refund = refunded(payment, WholeOrder(), note="Rained off", requested_by_id=staff.pk)
    assert (refund.amount, refund.status, refund.requested_by, refund.note) == (
        pounds(4000),
        "requested",
        staff,
        "Rained off",
    )
    assert figures(refund) == [(1500, 150, 1350, 1), (2500, 250, 2250, 1)]
    assert counted(payment) == (4000, 4000)
    assert payment.refundable == pounds(0)


def test_a_line_some_places_and_an_amount_are_refunded_one_after_another():
    payment = paid_order(1000, 3000, quantity=3)
    cheap, dear = payment.order.lines.order_by("amount_minor")
    assert figures(refunded(payment, OfLines([LinePart(line_id=cheap.pk, quantity=1)]))) == [(1000, 100, 900, 1)]
    assert figures(refunded(payment, OfLines([LinePart(line_id=dear.pk, amount=pounds(500), quantity=1)]))) == [
        (500, 50, 450, 1)
    ]
    # 10.00 over 20.00 and 85.00: 1.90 and 8.10 after rounding, no places with it.
    assert figures(refunded(payment, OverAllLines(pounds(1000)))) == [(190, 19, 171, 0), (810, 81, 729, 0)]
    assert figures(refunded(payment, OfLines([LinePart(line_id=cheap.pk)]))) == [(1810, 181, 1629, 2)]
    assert figures(refunded(payment)) == [(7690, 769, 6921, 2)]
    assert counted(payment) == (12000, 12000)


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        (OverAllLines(pounds(4001)), RefundExceedsRemaining),
        (OverAllLines(pounds(0)), InvalidRefundPart),
        (OverAllLines(pounds(-100)), InvalidRefundPart),
        (OverAllLines(Money(1000, "EUR")), InvalidRefundPart),
        (OfLines([LinePart(line_id=0)]), InvalidRefundPart),
    ],
)
def test_an_impossible_refund_is_refused_with_its_own_error_and_nothing_is_written(wanted, refused):
    payment = paid_order(2500, 1500)
    with pytest.raises(refused):
        refunded(payment, wanted)
    assert not Refund.objects.exists()
    assert counted(payment) == (0, 0)


def test_a_line_of_another_order_cannot_be_named():
    payment, other = paid_order(), paid_order()
    with pytest.raises(InvalidRefundPart):
        refunded(payment, OfLines([LinePart(line_id=other.order.lines.first().pk)]))


def test_an_unpaid_order_cannot_be_refunded():
    unpaid, expired, free = open_order(), open_order(), open_order(sample_offer(pounds(0)))
    cancel_order(order_id=expired.order_id, reason="expired", payment_status=Payment.Status.EXPIRED)
    for payment in (unpaid, expired, free):
        with pytest.raises(OrderNotPaid):
            refunded(payment)


def test_the_smallest_amount_there_is_can_be_refunded():
    assert figures(refunded(paid_order(2500), OverAllLines(pounds(1)))) == [(1, 0, 1, 0)]


def test_an_amount_finer_than_its_currency_is_charged_is_refused():
    payment = paid_order(12340, currency="KWD")
    with pytest.raises(InvalidRefundPart, match="steps of"):
        refunded(payment, OverAllLines(Money(1001, "KWD")))
    assert figures(refunded(payment, OverAllLines(Money(1010, "KWD")))) == [(1010, 101, 909, 0)]


def test_the_preview_shows_what_is_written_afterwards_and_writes_nothing():
    payment = paid_order(2500, 1500)
    preview = plan_refund_of(payment.order, OverAllLines(pounds(1001)))
    assert not Refund.objects.exists()
    refund = refunded(payment, OverAllLines(pounds(1001)))
    assert sorted((part.amount.minor, part.fee.minor, part.share.minor, part.quantity) for part in preview) == sorted(
        figures(refund)
    )
    with pytest.raises(RefundExceedsRemaining):
        plan_refund_of(payment.order, OverAllLines(pounds(3000)))


def test_a_repeat_with_the_same_request_key_is_the_first_refund():
    payment, other = paid_order(), paid_order()
    first = refunded(payment, OverAllLines(pounds(1000)), request_key="pressed")
    assert refunded(payment, OverAllLines(pounds(1000)), request_key="pressed") == first
    assert refunded(payment, OverAllLines(pounds(1000)), request_key="pressed on purpose again") != first
    with pytest.raises(RequestKeyReused):
        refunded(other, OverAllLines(pounds(1000)), request_key="pressed")
    assert counted(payment) == (2000, 2000)


def test_an_unallocated_refund_made_at_stripe_leaves_less_to_refund():
    payment = paid_order(2500, 1500)
    Refund.objects.create(payment=payment, amount_minor=1000, currency="GBP", reason="made_at_stripe")
    line = payment.order.lines.get(amount_minor=2500)
    with pytest.raises(RefundExceedsRemaining, match=r"£40\.00 is more than the £30\.00"):
        refunded(payment)
    assert refunded(payment, OfLines([LinePart(line_id=line.pk)])).amount == pounds(2500)


def test_all_undeliverable_lines_of_an_order_are_one_refund():
    references = [sample_offer(pounds(minor)) for minor in (2500, 1500, 1000)]
    payment = open_order(*references)
    SAMPLE.undeliverable.update(references[1:])
    settle_payment(evidence_for(payment))
    refund = Refund.objects.get()
    assert (refund.payment, refund.reason, refund.note) == (payment, "undeliverable", "The place is gone.")
    assert figures(refund) == [(1000, 100, 900, 1), (1500, 150, 1350, 1)]
    undeliverable = list(payment.order.lines.filter(state=OrderLine.State.UNDELIVERABLE))
    assert request_refund_of_undeliverable(payment.order, undeliverable) == refund


def test_a_free_line_that_cannot_be_delivered_needs_no_refund():
    free = sample_offer(pounds(0))
    payment = open_order(free, sample_offer())
    SAMPLE.undeliverable.add(free)
    settle_payment(evidence_for(payment))
    assert payment.order.lines.get(reference=free).state == OrderLine.State.UNDELIVERABLE
    assert not Refund.objects.exists()


def second_payment(payment):
    """Another payment of the same order, which expired here before Stripe reported that it was paid, too."""
    return Payment.objects.create(
        **{
            field.attname: getattr(payment, field.attname)
            for field in Payment._meta.concrete_fields
            if field.name in ("order", "amount_minor", "currency", "expires_at", "ended_at", "livemode")
        },
        reference=uuid.uuid4(),
        idempotency_key=uuid.uuid4().hex,
        status=Payment.Status.EXPIRED,
        stripe_payment_intent_id=f"pi_{uuid.uuid4().hex}",
    )


def test_a_second_payment_of_an_order_is_refunded_in_full_and_touches_no_line():
    payment = paid_order()
    second = second_payment(payment)
    refund = refund_second_payment(second)
    assert refund_second_payment(second) == refund
    assert (refund.payment, refund.amount, refund.allocations.count()) == (second, pounds(4000), 0)
    assert counted(payment) == (0, 0)
    assert counted(second) == (4000, 0)
    assert not Refund.objects.to_allocate().exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", [6000, 7000])
def test_of_two_staff_who_refund_more_than_there_is_between_them_the_second_is_refused(first):
    """The first commits only once the second waits for it, so both orders are certain to occur."""
    payment = paid_order(10000)
    second = 13000 - first
    is_written = Event()

    def refund_first():
        with transaction.atomic():
            refund = refunded(payment, OverAllLines(pounds(first)))
            is_written.set()
            wait_until_another_waits_for_a_lock()
            return refund

    def refund_second():
        assert is_written.wait(30)
        return refunded(payment, OverAllLines(pounds(second)))

    made, refused = at_once(refund_first, refund_second)
    assert made.amount == pounds(first)
    assert isinstance(refused, RefundExceedsRemaining)
    assert counted(payment) == (first, first)


@pytest.mark.django_db(transaction=True)
def test_many_partial_refunds_at_once_never_exceed_what_was_paid():
    payment = paid_order(2500, 1500)
    outcomes = at_once(*[lambda: refunded(payment, OverAllLines(pounds(1500)))] * 6)
    refused = [outcome for outcome in outcomes if isinstance(outcome, RefundExceedsRemaining)]
    assert len(refused) == 4, outcomes
    assert counted(payment) == (3000, 3000)


@pytest.mark.django_db(transaction=True)
def test_a_button_pressed_many_times_at_once_is_one_refund():
    payment = paid_order(2500, 1500)
    outcomes = at_once(*[lambda: refunded(payment, OverAllLines(pounds(100)), request_key="pressed")] * 6)
    assert set(outcomes) == {Refund.objects.get()}
    assert counted(payment) == (100, 100)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order_of_start", list(itertools.permutations(range(2))))
def test_a_failure_and_a_new_refund_at_once_count_each_once(order_of_start):
    payment = paid_order(2500, 1500)
    failing = refunded(payment, OverAllLines(pounds(2000)))

    def fail():
        Refund.objects.filter(pk=failing.pk).update(status=Refund.Status.FAILED)

    actions = [fail, lambda: refunded(payment, OverAllLines(pounds(2000)))]
    outcomes = at_once(*(actions[position] for position in order_of_start))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert counted(payment) == (2000, 2000)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.data(),
    st.sampled_from(["GBP", "JPY", "KWD"]),
    st.lists(st.integers(100, 10**5).map(lambda tens: tens * 10), min_size=1, max_size=3),
)
def test_any_sequence_of_refunds_and_failures_ends_with_an_exact_full_refund(data, currency, prices):
    with transaction.atomic():
        payment = paid_order(*prices, currency=currency)
        for _ in range(data.draw(st.integers(1, 6))):
            live = list(Refund.objects.live().filter(payment=payment))
            if live and data.draw(st.booleans()):
                failing = data.draw(st.sampled_from(live))
                Refund.objects.filter(pk=failing.pk).update(status=Refund.Status.FAILED)
            payment.refresh_from_db()
            if payment.refundable.minor:
                minor = data.draw(st.integers(1, payment.refundable.minor // 10)) * 10
                refunded(payment, OverAllLines(Money(minor, currency)))
        payment.refresh_from_db()
        if payment.refundable.minor:
            refunded(payment)
        for line in OrderLine.objects.filter(order=payment.order):
            assert line.refunded_minor == line.amount_minor
            assert line.refunded_fee_minor == line.platform_fee_minor
            assert line.refunded_share_minor == line.teacher_share_minor
            assert line.refunded_tax_minor == line.tax_minor
        assert counted(payment) == (payment.amount_minor, payment.amount_minor)
        assert Order.objects.get(pk=payment.order_id).is_paid
        transaction.set_rollback(True)
