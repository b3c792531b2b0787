"""A student cancels: what was shown is what happens, once, and never more comes back than is left."""

import contextlib
import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.invariants import broken
from money import Money
from money.limits import limits_of
from notifications.models import Mail
from payments.cancellations.lines import (
    CannotCancel,
    OfferChanged,
    cancel_for_student,
    cancel_for_teacher,
    offer_cancellation,
)
from payments.invariants import INVARIANTS
from payments.models import Dispute, DisputeAllocation, OrderLine, Refund, RefundAfterDispute
from payments.refunds.plan import LinePart, OfLines, RefundExceedsRemaining
from payments.tests.disputing import Case
from payments.tests.factories import open_order, paid_order, refunded
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db


def pounds(minor):
    return Money(minor, "GBP")


def only_line(payment):
    return OrderLine.objects.select_related("order").get(order=payment.order_id)


def offered(line, *keys, at=None):
    line = OrderLine.objects.select_related("order").get(pk=line.pk)
    return offer_cancellation(line=line, keys=keys, at=at or timezone.now())


def cancel(line, *keys):
    """Confirm what is offered now; returns the cancellation."""
    return cancel_for_student(line_id=line.pk, keys=keys, digest=offered(line, *keys).digest)


def now_pays_half():
    SAMPLE.full_until = timezone.now() - timedelta(hours=1)


def now_pays_nothing():
    now_pays_half()
    SAMPLE.half_until = timezone.now() - timedelta(minutes=1)


# --- What is offered -----------------------------------------------------------------------------------------------
def test_the_offer_follows_the_steps_of_the_policy():
    line = only_line(paid_order(2501))
    full, half = SAMPLE.full_until, SAMPLE.half_until
    for at, amount in (
        (full, 2501),
        (full + timedelta(seconds=1), 1251),
        (half, 1251),
        (half + timedelta(seconds=1), 0),
    ):
        offer = offered(line, "1", at=at)
        assert (offer.amount, offer.price) == (pounds(amount), pounds(2501))
        assert offer.kept == pounds(2501 - amount)


def test_some_places_are_offered_at_their_part_of_the_price():
    line = only_line(paid_order(1000, quantity=3))
    assert [offered(line, *keys).amount.minor for keys in (["1"], ["1", "3"], ["1", "2", "3"])] == [1000, 2000, 3000]
    now_pays_half()
    assert [offered(line, *keys).amount.minor for keys in (["1"], ["1", "3"], ["1", "2", "3"])] == [500, 1000, 1500]


@pytest.mark.parametrize("keys", [[], ["4"], ["1", "4"], ["\x00"], ["1", "1' OR 1=1"]])
def test_only_places_of_the_line_can_be_cancelled(keys):
    line = only_line(paid_order(1000, quantity=3))
    with pytest.raises(CannotCancel):
        offered(line, *keys)


def test_what_has_begun_can_no_longer_be_cancelled():
    line = only_line(paid_order(2500))
    SAMPLE.closes_at = timezone.now()
    with pytest.raises(CannotCancel, match="too late"):
        offered(line, "1")


def test_an_unpaid_line_cannot_be_cancelled():
    with pytest.raises(CannotCancel, match="not delivered"):
        offered(only_line(open_order()), "1")


def test_nothing_is_offered_while_staff_must_allocate_a_refund_of_the_order():
    payment = paid_order(2500)
    Refund.objects.create(payment=payment, amount_minor=100, currency="GBP", reason="made_at_stripe")
    with pytest.raises(CannotCancel, match="staff"):
        offered(only_line(payment), "1")


def test_what_is_disputed_is_not_cancelled_by_its_student():
    line = only_line(paid_order(2500))
    dispute(line, 400)
    with pytest.raises(CannotCancel, match="dispute"):
        offered(line, "1")


def test_what_a_lost_dispute_has_left_is_cancelled_like_anything_else():
    """Automattic/woocommerce-payments#6196, from the buyer's side: a dispute of a part ended for the rest as well."""
    payment = paid_order(1000, quantity=3)
    case = Case(payment, 1000)
    case.open()
    with pytest.raises(CannotCancel, match="your bank, which decides"):
        offered(only_line(payment), "1")
    case.lose()
    assert offered(only_line(payment), "1").amount == pounds(1000)
    assert cancel(only_line(payment), "1", "2", "3").offer.amount == pounds(2000)


def dispute(line, minor):
    payment = line.order.payments.get()
    opened = {"status": "needs_response", "is_charge_refundable": False, "opened_at": timezone.now()}
    taken = Dispute.objects.create(
        payment=payment, stripe_dispute_id="du_1", amount_minor=minor, currency="GBP", claimed_minor=minor, **opened
    )
    DisputeAllocation.objects.create(
        dispute=taken, line=line, amount_minor=minor, fee_minor=minor // 10, share_minor=minor - minor // 10
    )


# --- What happens --------------------------------------------------------------------------------------------------
def test_a_cancelled_line_is_revoked_refunded_and_confirmed_by_mail():
    payment = paid_order(2500)
    line = only_line(payment)
    now_pays_half()
    done = cancel(line, "1")
    line.refresh_from_db()
    assert (line.state, line.revoked_quantity, line.refunded_minor, line.refunded_quantity) == ("revoked", 1, 1250, 1)
    assert (done.refund.reason, done.refund.amount, done.refund.status) == (
        "student_cancelled",
        pounds(1250),
        "requested",
    )
    assert done.refund.requested_by == payment.order.user
    assert SAMPLE.delivered[line.pk] == []
    mail = Mail.objects.get(template="payments/mail/line_cancelled")
    assert (mail.user, mail.context["amount"]) == (payment.order.user, "£12.50")
    assert broken(INVARIANTS) == {}


def test_the_named_places_go_and_the_others_stay():
    line = only_line(paid_order(1000, quantity=3))
    cancel(line, "1", "3")
    line.refresh_from_db()
    assert (line.state, line.revoked_quantity, line.refunded_quantity) == ("fulfilled", 2, 2)
    assert SAMPLE.delivered[line.pk] == ["2"]
    assert line.refunded_minor == 2000


def test_a_place_is_cancelled_even_if_nothing_comes_back():
    line = only_line(paid_order(1000, quantity=2))
    now_pays_nothing()
    assert cancel(line, "1").refund is None
    line.refresh_from_db()
    assert (line.revoked_quantity, line.refunded_minor, line.refunded_quantity) == (1, 0, 0)
    assert not Refund.objects.exists()
    assert Mail.objects.get(template="payments/mail/line_cancelled").context["amount"] == ""


def test_the_places_of_a_line_add_up_to_its_offer_however_the_price_divides():
    line = only_line(paid_order(1001, quantity=3))
    now_pays_half()
    # Half of 30.03, rounded up, is 15.02.
    assert [cancel(line, key).offer.amount.minor for key in ("2", "1", "3")] == [500, 501, 501]


def test_an_offer_that_changed_is_shown_again_and_changes_nothing():
    line = only_line(paid_order(2500))
    seen = offered(line, "1").digest
    now_pays_half()
    with pytest.raises(OfferChanged) as changed:
        cancel_for_student(line_id=line.pk, keys=["1"], digest=seen)
    assert changed.value.offer.amount == pounds(1250)
    assert SAMPLE.calls["revoke", line.reference] == 0
    assert not Refund.objects.exists()
    cancel_for_student(line_id=line.pk, keys=["1"], digest=changed.value.offer.digest)
    assert Refund.objects.get().amount == pounds(1250)


def test_a_second_click_finds_it_cancelled():
    line = only_line(paid_order(2500))
    digest = offered(line, "1").digest
    cancel_for_student(line_id=line.pk, keys=["1"], digest=digest)
    with pytest.raises(CannotCancel, match="already"):
        cancel_for_student(line_id=line.pk, keys=["1"], digest=digest)
    assert Refund.objects.count() == 1


def test_what_staff_refunded_before_does_not_come_back_again():
    payment = paid_order(1000, quantity=3)
    line = only_line(payment)
    refunded(payment, OfLines([LinePart(line_id=line.pk, quantity=1)]))
    refunded(payment, OfLines([LinePart(line_id=line.pk, amount=pounds(500))]))
    offer = offered(line, "1", "2", "3")
    assert (offer.amount, offer.kept) == (pounds(1500), pounds(0))
    cancel(line, "1", "2", "3")
    line.refresh_from_db()
    assert (line.refunded_minor, line.refunded_quantity, line.state) == (3000, 3, "revoked")


def test_a_domain_that_revokes_nothing_gets_no_refund_out_of_it(monkeypatch):
    line = only_line(paid_order(2500))
    monkeypatch.setattr(SAMPLE, "revoke", lambda *_: None)
    with pytest.raises(CannotCancel, match="just changed"):
        cancel(line, "1")
    assert not Refund.objects.exists()
    line.refresh_from_db()
    assert (line.state, line.revoked_quantity) == ("fulfilled", 0)


# --- The teacher cancels -------------------------------------------------------------------------------------------
def test_a_teacher_gives_back_all_that_was_paid_for_the_places_that_are_left():
    payment = paid_order(1000, quantity=3)
    line = only_line(payment)
    now_pays_half()
    cancel(line, "2")
    done = cancel_for_teacher(line_id=line.pk, reason="The oven broke.", requested_by_id=line.teacher.user_id)
    assert (done.refund.amount, done.refund.reason) == (pounds(2000), "teacher_cancelled")
    line.refresh_from_db()
    assert (line.state, line.refunded_minor, line.refunded_quantity) == ("revoked", 2500, 3)
    mail = Mail.objects.get(template="payments/mail/line_cancelled_by_teacher")
    assert (mail.context["reason"], mail.context["amount"]) == ("The oven broke.", "£20.00")
    assert cancel_for_teacher(line_id=line.pk, reason="Again", requested_by_id=None) is None
    assert Refund.objects.filter(reason="teacher_cancelled").count() == 1
    assert broken(INVARIANTS) == {}


def test_a_teacher_gives_back_no_more_than_is_left():
    payment = paid_order(2500)
    refunded(payment, OfLines([LinePart(line_id=only_line(payment).pk, amount=pounds(600))]))
    done = cancel_for_teacher(line_id=only_line(payment).pk, reason="Ill", requested_by_id=None)
    assert done.refund.amount == pounds(1900)


def test_a_teacher_cancels_what_is_disputed_and_the_rest_waits_for_the_bank():
    line = only_line(paid_order(2500))
    dispute(line, 400)
    done = cancel_for_teacher(line_id=line.pk, reason="Ill", requested_by_id=None)
    assert done.refund.amount == pounds(2100)
    waiting = RefundAfterDispute.objects.get()
    assert (waiting.line, waiting.amount, waiting.quantity, waiting.refund) == (line, pounds(400), 0, None)


# --- Properties ----------------------------------------------------------------------------------------------------
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    unit=st.integers(50, 60_000),
    quantity=st.integers(1, 7),
    currency=st.sampled_from(["GBP", "JPY", "KWD"]),
    steps=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(0, 400)), max_size=8),
)
def test_no_sequence_gives_back_more_than_was_paid(unit, quantity, currency, steps):
    """Each step: which part of the policy applies, how many places are cancelled, and what staff refund besides."""
    SAMPLE.clear()
    step = limits_of(currency).step.minor
    payment = paid_order(unit * step, quantity=quantity, currency=currency)
    line = only_line(payment)
    for phase, count, goodwill in steps:
        _enter_phase(phase)
        keys = SAMPLE.delivered[line.pk][:count]
        if keys:
            offer = offered(line, *keys)
            left = OrderLine.objects.select_related("order").get(pk=line.pk).refundable
            assert 0 <= offer.amount.minor <= min(left.minor, offer.price.minor)
            assert offer.amount.minor % step == 0
            done = cancel(line, *keys)
            assert (done.refund.amount if done.refund else Money.zero(currency)) == offer.amount
        if goodwill:
            amount = Money(goodwill * step, currency)
            with contextlib.suppress(RefundExceedsRemaining):
                refunded(payment, OfLines([LinePart(line_id=line.pk, amount=amount)]))
        line = only_line(payment)
        assert line.revoked_quantity == quantity - len(SAMPLE.delivered[line.pk])
        assert line.refunded_minor <= line.amount_minor
    assert broken(INVARIANTS) == {}


def _enter_phase(phase):
    now = timezone.now()
    SAMPLE.full_until = now + timedelta(days=1 if phase == 0 else -1)
    SAMPLE.half_until = now + timedelta(days=2 if phase <= 1 else -1)


@pytest.mark.parametrize("quantity", [2, 3, 4])
def test_places_cancelled_in_any_portions_give_back_the_offer_of_the_whole_line(quantity):
    for portions in itertools.chain(*(itertools.product(range(1, quantity + 1), repeat=n) for n in range(1, 5))):
        if sum(portions) != quantity:
            continue
        line = only_line(paid_order(1001, quantity=quantity))
        now_pays_half()
        whole = offered(line, *SAMPLE.delivered[line.pk]).amount
        for count in portions:
            cancel(line, *SAMPLE.delivered[line.pk][:count])
        line.refresh_from_db()
        assert line.refunded == whole


# --- Races ---------------------------------------------------------------------------------------------------------
def at_once(*functions):
    """Run the functions on connections of their own, started together; returns what each returned or raised."""
    barrier = Barrier(len(functions), timeout=20)

    def run(function):
        try:
            barrier.wait()
            return function()
        except (CannotCancel, OfferChanged, RefundExceedsRemaining) as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))


@pytest.mark.django_db(transaction=True)
def test_a_double_click_is_one_refund():
    line = only_line(paid_order(2500))
    digest = offered(line, "1").digest
    results = at_once(*[lambda: cancel_for_student(line_id=line.pk, keys=["1"], digest=digest)] * 4)
    assert sum(isinstance(result, CannotCancel) for result in results) == 3
    assert Refund.objects.get().amount == pounds(2500)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_a_cancellation_and_a_refund_by_staff_never_give_back_more_than_was_paid(_round):
    payment = paid_order(2500)
    line = only_line(payment)
    digest = offered(line, "1").digest
    at_once(
        lambda: cancel_for_student(line_id=line.pk, keys=["1"], digest=digest),
        lambda: refunded(payment, OfLines([LinePart(line_id=line.pk, amount=pounds(1500))])),
    )
    line.refresh_from_db()
    assert line.refunded_minor in (1500, 2500)
    assert broken(INVARIANTS) == {}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_student_and_teacher_cancel_at_once_and_each_place_is_refunded_once(_round):
    line = only_line(paid_order(1000, quantity=2))
    now_pays_half()
    digest = offered(line, "1").digest
    by_student, by_teacher = at_once(
        lambda: cancel_for_student(line_id=line.pk, keys=["1"], digest=digest),
        lambda: cancel_for_teacher(line_id=line.pk, reason="Ill", requested_by_id=None),
    )
    line.refresh_from_db()
    assert (line.state, line.revoked_quantity) == ("revoked", 2)
    student_was_first = not isinstance(by_student, CannotCancel)
    assert line.refunded_minor == (1500 if student_was_first else 2000)
    assert by_teacher.refund.amount == pounds(1000 if student_was_first else 2000)
