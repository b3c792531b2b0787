"""A refund exists at Stripe once, whatever answer is lost, and our record follows its state there in any order."""

import itertools
import uuid

import pytest

from jobs.runner import drain
from money import Money
from notifications.models import Alert
from payments import gateway
from payments.checkout import start_checkout
from payments.evidence import PaymentEvidence
from payments.finding import PaymentNotSettledYet
from payments.models import OrderLine, Payment, Refund
from payments.pricing import price_cart
from payments.refunds.allocations import propose_allocation
from payments.refunds.plan import LinePart, OfLines, OverAllLines
from payments.refunds.recording import (
    RefundDisagrees,
    record_refund,
)
from payments.refunds.sending import send_refund
from payments.settlement import settle_payment
from payments.stripe_objects import StripeRefund
from payments.tests.factories import cart_with, open_order, paid_order, refunded, sample_offer
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db
DAY = 86400


def pounds(minor):
    return Money(minor, "GBP")


def paid_at_stripe(sandbox, *prices, method="pm_card_visa"):
    """An order of lines at these prices in pence, paid at the sandbox and settled; returns its payment."""
    cart = cart_with(*[sample_offer(pounds(minor)) for minor in prices or (2500, 1500)])
    payment = start_checkout(user=cart.user, cart=cart, agreed_digest=price_cart(cart).digest)
    assert sandbox.pay(payment.stripe_session_id, method).ok
    settle_payment(PaymentEvidence.from_session(gateway.retrieve_session(payment.stripe_session_id)))
    payment.refresh_from_db()
    return payment


def made_at(sandbox, payment):
    """The amounts of the payment's refunds at the sandbox."""
    answer = sandbox.get("refunds", payment_intent=payment.stripe_payment_intent_id, limit=100)
    return [refund["amount"] for refund in answer["data"]]


def refund_in_dashboard(sandbox, payment, minor, **fields):
    """Make a refund as a user of Stripe's Dashboard does; returns its state there."""
    body = {"payment_intent": payment.stripe_payment_intent_id, "amount": minor, **fields}
    answer = sandbox.http.post(f"{sandbox.url}/v1/refunds", data=body, timeout=30)
    assert answer.ok, answer.text
    return gateway.retrieve_refund(answer.json()["id"])


def said(payment, status, **changes):
    """A refund of the payment as Stripe reports it; made in the Dashboard unless changed."""
    fields = {
        "id": f"re_{uuid.uuid4().hex}",
        "status": status,
        "amount": payment.amount,
        "payment_intent_id": payment.stripe_payment_intent_id,
        "refund_key": "",
    }
    return StripeRefund(**{**fields, **changes})


def said_of(refund, status, **changes):
    """A refund of ours as Stripe reports it."""
    fields = {"id": f"re_of_{refund.pk}", "amount": refund.amount, "refund_key": refund.idempotency_key}
    return said(refund.payment, status, **{**fields, **changes})


def counted(payment):
    """What the payment and its lines count as refunded."""
    payment.refresh_from_db()
    return payment.refunded_minor, sum(
        OrderLine.objects.filter(order=payment.order).values_list("refunded_minor", flat=True)
    )


def alerts(prefix):
    return Alert.objects.filter(key__startswith=prefix)


# --- Stripe's reports -------------------------------------------------------------------------------------------------


def test_rf17_a_refund_stays_pending_until_stripe_has_the_money(stripe_sandbox):
    payment = paid_at_stripe(stripe_sandbox, 8000, method="pm_card_pendingRefund")
    refund = refunded(payment)
    send_refund(refund)
    refund.refresh_from_db()
    assert (refund.status, refund.pending_reason, refund.succeeded_at) == ("pending", "processing", None)
    assert payment.order.lines.get().refundable == pounds(0)
    stripe_sandbox.switch("clock", advance=DAY)
    assert record_refund(gateway.retrieve_refund(refund.stripe_refund_id)).has_changed
    refund.refresh_from_db()
    assert (refund.status, refund.pending_reason) == ("succeeded", "")
    assert refund.succeeded_at is not None
    assert counted(payment) == (8000, 8000)


def test_rf02_a_refund_that_fails_later_can_be_made_again(stripe_sandbox):
    payment = paid_at_stripe(stripe_sandbox, 4000, method="pm_card_refundFail")
    refund = refunded(payment)
    send_refund(refund)
    assert Refund.objects.get().status == "succeeded"
    stripe_sandbox.switch("clock", advance=DAY)
    answer = gateway.retrieve_refund(Refund.objects.get().stripe_refund_id)
    assert answer.balance_transaction.amount == pounds(-4000)
    assert answer.failure_balance_transaction.amount == pounds(4000)
    assert record_refund(answer).has_changed
    refund.refresh_from_db()
    assert (refund.status, refund.failure_reason) == ("failed", "expired_or_canceled_card")
    assert (counted(payment), payment.order.lines.get().refundable) == ((0, 0), pounds(4000))
    assert alerts(f"refund-failed:{refund.pk}").count() == 1
    again = refunded(payment)
    part = again.allocations.get()
    assert (part.fee_minor, part.share_minor, counted(payment)) == (400, 3600, (4000, 4000))


@pytest.mark.parametrize(
    ("words", "ends", "left"),
    [
        (["pending", "succeeded"], "succeeded", 4000),
        (["pending", "requires_action", "succeeded"], "succeeded", 4000),
        (["pending", "succeeded", "failed"], "failed", 0),
        (["requires_action", "canceled"], "canceled", 0),
        (["pending", "failed"], "failed", 0),
        ([None, "a_word_of_tomorrow", "succeeded"], "succeeded", 4000),
    ],
)
def test_a_late_report_of_an_earlier_state_changes_nothing(words, ends, left):
    for order in itertools.permutations(words):
        payment = paid_order()
        refund = refunded(payment)
        for word in order:
            record_refund(said_of(refund, word or "pending"))
            record_refund(said_of(refund, word or "pending"))
        refund.refresh_from_db()
        assert (refund.status, counted(payment)) == (ends, (left, left)), order
        assert alerts(f"refund-failed:{refund.pk}").count() == (left == 0), order
        assert (refund.ended_at is None) == bool(left)


def test_rf01_the_same_report_three_times_is_one_refund():
    payment = paid_order(10000)
    news = said(payment, "succeeded", amount=pounds(2500))
    assert [record_refund(news).has_changed for _ in range(3)] == [True, False, False]
    part = Refund.objects.get().allocations.get()
    assert (part.fee_minor, part.share_minor, counted(payment)) == (250, 2250, (2500, 2500))


def test_rf03_of_two_equal_refunds_only_the_one_that_failed_is_given_back():
    payment = paid_order(4000)
    first, second = refunded(payment, OverAllLines(pounds(1000))), refunded(payment, OverAllLines(pounds(1000)))
    record_refund(said_of(first, "succeeded"))
    record_refund(said_of(second, "succeeded"))
    record_refund(said_of(first, "failed"))
    line = payment.order.lines.get()
    assert (line.refunded_fee_minor, line.refunded_share_minor, line.refundable) == (100, 900, pounds(3000))
    assert dict(Refund.objects.values_list("pk", "status")) == {first.pk: "failed", second.pk: "succeeded"}


def test_a_refund_of_a_payment_that_is_not_ours_is_ignored():
    payment = paid_order()
    assert record_refund(said(payment, "succeeded", payment_intent_id="pi_of_another_shop")) is None
    assert not Refund.objects.exists()


def test_a_refund_without_a_payment_intent_is_not_taken_for_one_of_an_open_payment():
    """Charges of other products need no intent, and neither does a payment whose session was just opened."""
    open_order()
    payment = paid_order()
    assert record_refund(said(payment, "succeeded", payment_intent_id="")) is None
    assert not Refund.objects.exists()


# --- Made at Stripe ---------------------------------------------------------------------------------------------------


def test_a_whole_refund_made_in_the_dashboard_allocates_itself(stripe_sandbox):
    payment = paid_at_stripe(stripe_sandbox, 2500, 1500)
    recorded = record_refund(refund_in_dashboard(stripe_sandbox, payment, 4000))
    refund = recorded.refund
    assert (refund.reason, refund.status, refund.state, refund.to_allocate) == (
        "made_at_stripe",
        "succeeded",
        "done",
        pounds(0),
    )
    assert sorted(refund.allocations.values_list("amount_minor", "fee_minor", "share_minor", "quantity")) == [
        (1500, 150, 1350, 0),
        (2500, 250, 2250, 0),
    ]
    assert counted(payment) == (4000, 4000)
    assert [alert.key for alert in alerts("refund")] == [f"refund-keeps-access:{refund.pk}"]


def test_unambiguous_refunds_are_allocated_automatically():
    payment = paid_order(2500, 1500, 1000)
    cheap = payment.order.lines.get(amount_minor=1000)
    refunded(payment, OfLines([LinePart(line_id=cheap.pk)]))
    assert record_refund(said(payment, "succeeded", amount=pounds(4000))).refund.allocations.count() == 2
    one_line_left = paid_order(2500, 1500)
    refunded(one_line_left, OfLines([LinePart(line_id=one_line_left.order.lines.get(amount_minor=2500).pk)]))
    part = record_refund(said(one_line_left, "pending", amount=pounds(700))).refund.allocations.get()
    assert (part.line.amount_minor, part.amount_minor) == (1500, 700)
    assert not alerts("refund-to-allocate").exists()


def test_rf15_a_refund_that_could_mean_several_lines_waits_for_staff_with_a_proposal():
    payment = paid_order(5000, 2000, 3000)
    refund = record_refund(said(payment, "succeeded", amount=pounds(3000))).refund
    assert (refund.allocations.count(), refund.to_allocate, counted(payment)) == (0, pounds(3000), (3000, 0))
    assert list(Refund.objects.to_allocate()) == [refund]
    alert = alerts(f"refund-to-allocate:{refund.pk}").get()
    for amount in ("£15.00", "£6.00", "£9.00"):
        assert amount in alert.detail["proposal"]
    proposal = propose_allocation(refund, list(payment.order.lines.order_by("-amount_minor")))
    assert [(part.fee.minor, part.share.minor) for part in proposal] == [(150, 1350), (90, 810), (60, 540)]


def test_a_dashboard_refund_that_fails_is_given_back():
    payment = paid_order(2500)
    news = said(payment, "succeeded", amount=pounds(1000))
    record_refund(news)
    record_refund(said(payment, "failed", amount=pounds(1000), id=news.id))
    assert (Refund.objects.get().status, counted(payment)) == ("failed", (0, 0))
    first_heard_when_failed = paid_order(2500)
    record_refund(said(first_heard_when_failed, "failed", amount=pounds(1000)))
    assert counted(first_heard_when_failed) == (0, 0)


def test_a_refund_reported_before_its_payment_is_settled_is_recorded_afterwards(stripe_sandbox):
    cart = cart_with(sample_offer(pounds(5000)))
    payment = start_checkout(user=cart.user, cart=cart, agreed_digest=price_cart(cart).digest)
    stripe_sandbox.pay(payment.stripe_session_id)
    session = gateway.retrieve_session(payment.stripe_session_id)
    unsettled = Payment(stripe_payment_intent_id=session.payment_intent_id)
    news = refund_in_dashboard(stripe_sandbox, unsettled, 2000)
    assert news.payment_reference == str(payment.reference)
    with pytest.raises(PaymentNotSettledYet):
        record_refund(news)
    settle_payment(PaymentEvidence.from_session(session))
    assert record_refund(news).has_changed
    line = payment.order.lines.get()
    assert (line.refundable, line.refunded_fee_minor, line.refunded_share_minor) == (pounds(3000), 200, 1800)


def test_the_refund_of_a_second_payment_made_at_stripe_touches_no_line():
    payment = paid_order()
    second = Payment.objects.create(
        **{
            field.attname: getattr(payment, field.attname)
            for field in Payment._meta.concrete_fields
            if field.name in ("order", "amount_minor", "currency", "expires_at", "ended_at", "livemode")
        },
        reference=uuid.uuid4(),
        idempotency_key=uuid.uuid4().hex,
        status=Payment.Status.EXPIRED,
        stripe_payment_intent_id="pi_second",
    )
    refund = record_refund(said(second, "succeeded", amount=pounds(1000))).refund
    assert (refund.reason, refund.payment) == ("second_payment", second)
    assert counted(payment) == (0, 0)
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": pounds(1501)},
        {"amount": Money(1500, "EUR")},
        {"payment_intent_id": "other"},
    ],
)
def test_a_refund_of_ours_that_differs_at_stripe_is_left_to_staff(changes):
    payment, other = paid_order(), paid_order()
    if "payment_intent_id" in changes:
        changes = {"payment_intent_id": other.stripe_payment_intent_id}
    refund = refunded(payment, OverAllLines(pounds(1500)))
    with pytest.raises(RefundDisagrees):
        record_refund(said_of(refund, "succeeded", **changes))
    refund.refresh_from_db()
    assert (refund.status, counted(payment), counted(other)) == ("requested", (1500, 1500), (0, 0))


@pytest.mark.parametrize("amount", [pounds(0), pounds(-1), pounds(4001), Money(100, "EUR"), pounds(10**30)])
def test_a_dashboard_refund_that_cannot_belong_to_its_payment_is_left_to_staff(amount):
    payment = paid_order()
    with pytest.raises(RefundDisagrees):
        record_refund(said(payment, "succeeded", amount=amount))
    assert not Refund.objects.exists()


def test_our_key_on_a_second_refund_does_not_make_it_ours():
    payment = paid_order(4000)
    refund = refunded(payment, OverAllLines(pounds(1000)))
    record_refund(said_of(refund, "succeeded"))
    copied = record_refund(said_of(refund, "succeeded", id="re_copied")).refund
    assert copied != refund
    assert counted(payment) == (2000, 2000)


def test_a_refund_that_was_refused_but_exists_is_counted():
    payment = paid_order(4000)
    refund = refunded(payment)
    Refund.objects.filter(pk=refund.pk).update(status=Refund.Status.FAILED)
    recorded = record_refund(said_of(refund, "succeeded"))
    assert recorded.refund != refund
    assert counted(payment) == (4000, 4000)


def test_a_place_that_was_gone_is_refunded_at_stripe_and_its_line_says_so(stripe_sandbox):
    good, gone = sample_offer(pounds(2500)), sample_offer(pounds(1500))
    cart = cart_with(good, gone)
    payment = start_checkout(user=cart.user, cart=cart, agreed_digest=price_cart(cart).digest)
    SAMPLE.undeliverable.add(gone)
    stripe_sandbox.pay(payment.stripe_session_id)
    settle_payment(PaymentEvidence.from_session(gateway.retrieve_session(payment.stripe_session_id)))
    drain(Refund, seconds=5)
    payment.refresh_from_db()
    assert made_at(stripe_sandbox, payment) == [1500]
    assert dict(payment.order.lines.values_list("reference", "refunded_minor")) == {good: 0, gone: 1500}


def test_an_order_paid_later_by_the_same_student_is_untouched():
    first = paid_order(2500)
    second = paid_order(2500, user=first.order.user)
    record_refund(said(first, "succeeded"))
    assert (counted(first), counted(second)) == ((2500, 2500), (0, 0))
    assert open_order().refunded_minor == 0
