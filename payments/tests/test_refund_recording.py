"""A refund exists at Stripe once, whatever answer is lost, and our record follows its state there in any order."""

import itertools
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connections
from django.utils import timezone

from jobs.models import WorkParked
from jobs.runner import claim, drain, run
from money import Money
from notifications.models import Alert, Mail
from payments import gateway
from payments.checkout import start_checkout
from payments.evidence import PaymentEvidence
from payments.finding import PaymentNotSettledYet
from payments.models import OrderLine, Payment, Refund
from payments.pricing import price_cart
from payments.refunds.allocations import propose_allocation
from payments.refunds.plan import LinePart, OfLines, OverAllLines
from payments.refunds.recording import (
    NoRoomForRefund,
    RefundDisagrees,
    record_refund,
)
from payments.refunds.sending import send_refund
from payments.settlement import settle_payment
from payments.stripe_api import StripeRefused
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


# --- Sending ----------------------------------------------------------------------------------------------------------


def test_a_refund_whose_answer_was_lost_is_not_made_again_by_a_retry_a_day_later(stripe_sandbox):
    payment = paid_at_stripe(stripe_sandbox)
    refund = refunded(payment, OverAllLines(pounds(1500)))
    stripe_sandbox.fault("drop_reply", path="/v1/refunds", count=3)
    drain(Refund, seconds=5)
    refund.refresh_from_db()
    assert (refund.status, refund.stripe_refund_id, counted(payment)) == ("requested", None, (1500, 1500))
    assert refund.park_now("Staff want to look at it first.")
    stripe_sandbox.switch("clock", advance=DAY + 3600)
    assert refund.retry_now()
    drain(Refund, seconds=5)
    refund.refresh_from_db()
    assert (refund.status, refund.state) == ("succeeded", "done")
    assert made_at(stripe_sandbox, payment) == [1500]
    assert counted(payment) == (1500, 1500)


def test_it_is_found_beyond_the_first_page_of_refunds(stripe_sandbox):
    payment = paid_at_stripe(stripe_sandbox, 100000)
    refund = refunded(payment, OverAllLines(pounds(500)))
    refund_in_dashboard(stripe_sandbox, payment, 500, **{"metadata[refund]": refund.idempotency_key})
    for _ in range(100):
        refund_in_dashboard(stripe_sandbox, payment, 1)
    send_refund(refund)
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert made_at(stripe_sandbox, payment).count(500) == 0  # on the first page; it is on the second
    found = gateway.find_refund(payment_intent_id=payment.stripe_payment_intent_id, refund_key=refund.idempotency_key)
    assert found.id == refund.stripe_refund_id


def test_equal_refunds_of_equal_amounts_are_two(stripe_sandbox):
    payment = paid_at_stripe(stripe_sandbox)
    refunded(payment, OverAllLines(pounds(1000)))
    refunded(payment, OverAllLines(pounds(1000)))
    drain(Refund, seconds=10)
    assert made_at(stripe_sandbox, payment) == [1000, 1000]
    assert set(Refund.objects.values_list("status", flat=True)) == {"succeeded"}
    assert Refund.objects.values("stripe_refund_id").distinct().count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_overlap_make_one_refund(stripe_sandbox, monkeypatch):
    """The first worker's claim expires after its call to Stripe, before it records the answer; another takes over."""
    payment = paid_at_stripe(stripe_sandbox)
    refund = refunded(payment, OverAllLines(pounds(1500)))
    is_made, may_go_on = Event(), Event()
    create = gateway.create_refund

    def create_and_linger(**fields):
        answer = create(**fields)
        is_made.set()
        assert may_go_on.wait(30)
        return answer

    def work(row):
        try:
            run(row)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(gateway, "create_refund", create_and_linger)
        (first_claim,) = claim(Refund, limit=1)
        lingering = pool.submit(work, first_claim)
        try:
            assert is_made.wait(30)
            monkeypatch.setattr(gateway, "create_refund", create)
            Refund.objects.update(run_after=timezone.now())
            (second_claim,) = claim(Refund, limit=1)
            run(second_claim)
        finally:
            may_go_on.set()
        lingering.result(30)
    refund.refresh_from_db()
    assert (refund.status, refund.state) == ("succeeded", "done")
    assert made_at(stripe_sandbox, payment) == [1500]
    assert counted(payment) == (1500, 1500)


def test_a_refund_that_stripe_refuses_fails_and_gives_everything_back(stripe_sandbox):
    """strangerstudios/paid-memberships-pro#3811, getlago/lago-api#6443: staff had refunded it in the Dashboard before."""
    payment = paid_at_stripe(stripe_sandbox)
    refund = refunded(payment)
    in_dashboard = refund_in_dashboard(stripe_sandbox, payment, 4000)
    with pytest.raises(NoRoomForRefund):
        record_refund(in_dashboard)
    drain(Refund, seconds=5)
    refund.refresh_from_db()
    assert (refund.status, refund.state, refund.stripe_refund_id) == ("failed", "done", None)
    assert refund.failure_reason.startswith("charge_already_refunded")
    assert refund.ended_at is not None
    assert counted(payment) == (0, 0)
    # The student has got the money, so they are not told that they have not.
    (alert,) = alerts(f"refund-failed:{refund.pk}")
    assert alert.title == "A refund of £40.00 was not made: all of the payment had been refunded at Stripe before"
    assert not Mail.objects.filter(key__startswith=f"refund:{refund.pk}:").exists()
    # Now the refund made at Stripe no longer exceeds what is left.
    assert record_refund(in_dashboard).has_changed
    assert counted(payment) == (4000, 4000)


def test_more_than_stripe_has_left_is_refused_there_and_counts_nothing(stripe_sandbox):
    payment = paid_at_stripe(stripe_sandbox)
    refund = refunded(payment, OverAllLines(pounds(3000)))
    refund_in_dashboard(stripe_sandbox, payment, 1500)
    drain(Refund, seconds=5)
    refund.refresh_from_db()
    assert (refund.status, counted(payment)) == ("failed", (0, 0))
    assert "greater than unrefunded amount" in refund.failure_reason
    assert Mail.objects.filter(key=f"refund:{refund.pk}:failed").count() == 1


def test_disputed_money_is_not_refunded(stripe_sandbox):
    payment = paid_at_stripe(stripe_sandbox, method="pm_card_createDispute")
    stripe_sandbox.switch("clock", advance=60)
    refund = refunded(payment)
    drain(Refund, seconds=5)
    refund.refresh_from_db()
    assert (refund.status, counted(payment)) == ("failed", (0, 0))
    assert refund.failure_reason.startswith("charge_disputed")


def test_a_refusal_because_of_our_key_parks_the_refund_and_releases_nothing(stripe_sandbox, settings):
    payment = paid_at_stripe(stripe_sandbox)
    refund = refunded(payment)
    right = settings.STRIPE_SECRET_KEY
    settings.STRIPE_SECRET_KEY = "sk_test_wrong0000000000000000000"
    gateway._client.cache_clear()
    drain(Refund, seconds=5)
    refund.refresh_from_db()
    assert (refund.status, refund.state, counted(payment)) == ("requested", "parked", (4000, 4000))
    assert alerts(f"refund-parked:{refund.pk}").count() == 1
    settings.STRIPE_SECRET_KEY = right
    gateway._client.cache_clear()
    refund.retry_now()
    drain(Refund, seconds=5)
    refund.refresh_from_db()
    assert refund.status == "succeeded"


def test_a_payment_that_stripe_does_not_know_parks_the_refund(stripe_sandbox):
    payment = paid_order()
    with pytest.raises(WorkParked):
        send_refund(refunded(payment))
    assert counted(payment) == (4000, 4000)


@pytest.mark.parametrize("code", ["balance_insufficient", "lock_timeout"])
def test_a_temporary_refusal_is_retried_and_releases_nothing(stripe_sandbox, monkeypatch, code):
    payment = paid_at_stripe(stripe_sandbox)
    refund = refunded(payment)

    def refuse(**_):
        raise StripeRefused("Not now.", code=code)

    with monkeypatch.context() as patched:
        patched.setattr(gateway, "create_refund", refuse)
        drain(Refund, seconds=2)
    refund.refresh_from_db()
    assert (refund.status, refund.state, counted(payment)) == ("requested", "waiting", (4000, 4000))


def test_a_refusal_of_a_refund_that_another_worker_created_is_not_a_failure(stripe_sandbox, monkeypatch):
    payment = paid_at_stripe(stripe_sandbox)
    refund = refunded(payment)
    create = gateway.create_refund

    def be_overtaken(**fields):
        create(**fields)
        return create(**{**fields, "idempotency_key": "forgotten"})

    monkeypatch.setattr(gateway, "create_refund", be_overtaken)
    send_refund(refund)
    refund.refresh_from_db()
    assert (refund.status, counted(payment)) == ("succeeded", (4000, 4000))
    assert made_at(stripe_sandbox, payment) == [4000]


def test_a_refund_that_was_sent_or_has_ended_is_not_sent_again(stripe_sandbox):
    payment = paid_at_stripe(stripe_sandbox)
    refund = refunded(payment, OverAllLines(pounds(1500)))
    record_refund(said_of(refund, "failed"))
    send_refund(refund)
    assert made_at(stripe_sandbox, payment) == []
    other = refunded(payment, OverAllLines(pounds(1500)))
    send_refund(other)
    send_refund(other)
    assert made_at(stripe_sandbox, payment) == [1500]


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
