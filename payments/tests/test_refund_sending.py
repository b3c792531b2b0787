"""A worker makes each refund at Stripe exactly once, whatever is repeated, lost or refused."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connections
from django.utils import timezone

from jobs.models import WorkParked
from jobs.runner import claim, drain, run
from notifications.models import Mail
from payments import gateway
from payments.models import Refund
from payments.refunds.plan import OverAllLines
from payments.refunds.recording import (
    NoRoomForRefund,
    record_refund,
)
from payments.refunds.sending import send_refund
from payments.stripe_api import StripeRefused
from payments.tests.factories import paid_order, refunded
from payments.tests.test_refund_recording import (
    DAY,
    alerts,
    counted,
    made_at,
    paid_at_stripe,
    pounds,
    refund_in_dashboard,
    said_of,
)

pytestmark = pytest.mark.django_db


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
