"""Stripe's events about disputes and fraud warnings, from a real sandbox, in any order and repeated."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.db.models.functions import Now
from djstripe import models as mirrored

from jobs.invariants import broken
from jobs.runner import drain
from ledger.entries import AccountKind
from money import Money
from notifications.models import Alert, Mail
from payments.disputes import gateway
from payments.disputes.fraud_warnings import WarningDecided, record_fraud_warning, refund_because_of_warning
from payments.disputes.recording import record_dispute
from payments.invariants import INVARIANTS
from payments.models import Dispute, FetchedEvent, FraudWarning, MirrorSync, Payment, Refund, WebhookEvent
from payments.refunds.plan import AmountDisputed
from payments.tests.disputing import book, held, in_dispute, moved, of_platform, of_teacher, said
from payments.tests.factories import event_of, paid_order, refunded
from payments.tests.test_refund_recording import paid_at_stripe
from payments.webhook.event_types import LISTENED_FOR
from payments.webhook.inbox import store_event

pytestmark = pytest.mark.django_db
ABOUT_DISPUTES = [name for name in LISTENED_FOR if name.startswith(("charge.dispute", "radar"))]


def disputed_at_stripe(sandbox, method="pm_card_createDispute", *prices, count=1):
    """An order whose payment the sandbox disputes; returns the payment and Stripe's disputes."""
    payment = paid_at_stripe(sandbox, *(prices or (10000,)), method=method)
    query = {"payment_intent": payment.stripe_payment_intent_id}
    disputes = wait_for(lambda: len(found := sandbox.get("disputes", **query)["data"]) == count and found)
    return payment, disputes


def wait_for(condition, seconds=15):
    ends_at = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < ends_at, "waited in vain"
        time.sleep(0.05)
    return result


def events_at(sandbox):
    """The events about disputes and warnings so far, the oldest first."""
    events = sandbox.get("events", limit=100)["data"]
    return [event for event in reversed(events) if event["type"] in ABOUT_DISPUTES]


def take_in(*events):
    for event in events:
        store_event(event, source="webhook")
        drain(WebhookEvent, seconds=5)
        drain(FetchedEvent, seconds=5)
    return [FetchedEvent.objects.get(stripe_id=event["id"]) for event in events]


def decide(sandbox, dispute_id, text):
    """Answer as a user of the Dashboard does, with a text that decides the case, and wait until it is closed."""
    answer = sandbox.http.post(
        f"{sandbox.url}/v1/disputes/{dispute_id}", data={"evidence[uncategorized_text]": text}, timeout=30
    )
    assert answer.ok, answer.text
    closed = ("won", "lost", "warning_closed")
    return wait_for(lambda: (now := sandbox.get(f"disputes/{dispute_id}"))["status"] in closed and now)


def teacher_of(payment):
    return payment.order.lines.first().teacher


def test_the_events_of_a_dispute_hold_the_money_once(stripe_sandbox):
    payment, [at_stripe] = disputed_at_stripe(stripe_sandbox)
    events = wait_for(lambda: len(found := events_at(stripe_sandbox)) == 2 and found)
    rows = take_in(*events, *events)
    dispute = Dispute.objects.get()
    assert (dispute.stripe_dispute_id, dispute.status, dispute.reason) == (
        at_stripe["id"],
        "needs_response",
        "fraudulent",
    )
    assert (dispute.case_type, dispute.is_charge_refundable, dispute.claimed_minor) == ("chargeback", False, 10000)
    assert int(dispute.due_by.timestamp()) == at_stripe["evidence_details"]["due_by"]
    assert [row.order for row in rows] == [payment.order] * 4
    assert rows[0].outcome == "dispute needs_response"
    assert rows[1].outcome == "already_processed"
    assert (held(teacher_of(payment)), in_dispute(), book(AccountKind.DISPUTE_FEES)) == (9000, 10000, 1500)


@pytest.mark.parametrize(
    ("text", "status", "teacher", "platform"),
    [
        ("winning_evidence", "won", 9000, 1000),
        ("losing_evidence", "lost", 0, -1500),
    ],
)
def test_all_events_of_a_case_in_any_order_end_in_stripes_outcome(stripe_sandbox, text, status, teacher, platform):
    payment, [at_stripe] = disputed_at_stripe(stripe_sandbox)
    early = gateway.retrieve_dispute(at_stripe["id"])
    decide(stripe_sandbox, at_stripe["id"], text)
    kinds = {
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.dispute.closed",
    }
    events = wait_for(
        lambda: kinds <= {each["type"] for each in events_at(stripe_sandbox)} and events_at(stripe_sandbox)
    )
    random.Random(text).shuffle(events)
    take_in(*events, *events)
    assert not record_dispute(early).has_changed  # fetched before, recorded last
    dispute = Dispute.objects.get()
    assert (dispute.status, dispute.submission_count) == (status, 1)
    # The sandbox gives the fee back with a won dispute.
    assert (of_teacher(teacher_of(payment)), of_platform(), in_dispute()) == (teacher, platform, 0)
    assert book(AccountKind.STRIPE_CLEARING) == (10000 if status == "won" else -1500)


def test_an_inquiry_is_recorded_and_moves_nothing(stripe_sandbox):
    payment, [at_stripe] = disputed_at_stripe(stripe_sandbox, "pm_card_createDisputeInquiry")
    take_in(*wait_for(lambda: events_at(stripe_sandbox)))
    dispute = Dispute.objects.get()
    assert (dispute.is_inquiry, dispute.needs_answer, dispute.claimed_minor) == (True, True, 0)
    assert held(teacher_of(payment)) == 0
    decide(stripe_sandbox, at_stripe["id"], "winning_evidence")
    take_in(*events_at(stripe_sandbox)[-1:])
    dispute.refresh_from_db()
    assert dispute.status == "warning_closed"
    assert dispute.closed_at


def test_an_inquiry_that_is_escalated_takes_the_money(stripe_sandbox):
    payment, [at_stripe] = disputed_at_stripe(stripe_sandbox, "pm_card_createDisputeInquiry")
    take_in(*wait_for(lambda: events_at(stripe_sandbox)))
    stripe_sandbox.http.post(
        f"{stripe_sandbox.url}/v1/disputes/{at_stripe['id']}",
        data={"evidence[uncategorized_text]": "escalate_inquiry_evidence"},
        timeout=30,
    )
    wait_for(lambda: stripe_sandbox.get(f"disputes/{at_stripe['id']}")["status"] == "needs_response")
    take_in(*events_at(stripe_sandbox))
    dispute = Dispute.objects.get()
    assert (dispute.is_inquiry, dispute.claimed_minor, held(teacher_of(payment))) == (False, 10000, 9000)


def test_an_event_about_an_unknown_payment_is_not_ours(stripe_sandbox):
    _, [at_stripe] = disputed_at_stripe(stripe_sandbox)
    Payment.objects.update(stripe_payment_intent_id="pi_other", stripe_charge_id=None)
    [row, *_] = take_in(*events_at(stripe_sandbox)[:1])
    assert (row.state, row.outcome) == ("done", "not ours")
    assert at_stripe["payment_intent"]
    assert not Dispute.objects.exists()
    assert not Alert.objects.exists()


def test_a_dispute_that_stripe_does_not_have_is_parked_with_an_alert(stripe_sandbox):
    payment = paid_order(10000)
    fake = event_of(
        "charge.dispute.created",
        {"id": "du_none", "object": "dispute", "payment_intent": payment.stripe_payment_intent_id},
    )
    [row] = take_in(fake)
    assert row.state == "parked"
    assert not Dispute.objects.exists()


# --- Early fraud warnings ---------------------------------------------------------------------------------------------


def warned_at_stripe(sandbox):
    payment = paid_at_stripe(sandbox, 10000, method="pm_card_createIssuerFraudRecord")
    take_in(*wait_for(lambda: events_at(sandbox)))
    return payment, FraudWarning.objects.get()


def test_a_warning_alerts_staff_and_one_refund_settles_it(stripe_sandbox):
    payment, warning = warned_at_stripe(stripe_sandbox)
    assert (warning.payment, warning.needs_decision) == (payment, True)
    alert = Alert.objects.get(key__startswith="fraud-warning")
    assert payment.order.number in alert.title
    staff = payment.order.user
    first = refund_because_of_warning(warning, requested_by_id=staff.pk)
    with pytest.raises(WarningDecided):
        refund_because_of_warning(warning, requested_by_id=staff.pk)
    assert (first.amount, first.reason, first.requested_by) == (Money(10000, "GBP"), "fraud_warning", staff)
    drain(Refund, seconds=10)
    take_in(*events_at(stripe_sandbox)[-1:])
    warning.refresh_from_db()
    alert.refresh_from_db()
    assert (warning.is_actionable, warning.needs_decision, bool(alert.cleared_at)) == (False, False, True)
    first.refresh_from_db()
    assert first.has_succeeded


def test_an_earlier_state_of_a_warning_does_not_reopen_it(stripe_sandbox):
    payment, warning = warned_at_stripe(stripe_sandbox)
    early = gateway.retrieve_fraud_warning(warning.stripe_warning_id)
    refund_because_of_warning(warning, requested_by_id=payment.order.user_id)
    drain(Refund, seconds=10)
    record_fraud_warning(gateway.retrieve_fraud_warning(warning.stripe_warning_id))
    record_fraud_warning(early)
    warning.refresh_from_db()
    assert not warning.is_actionable
    assert Alert.objects.filter(key__startswith="fraud-warning").count() == 1


def test_after_a_failed_refund_another_one_can_be_made(stripe_sandbox):
    payment, warning = warned_at_stripe(stripe_sandbox)
    first = refund_because_of_warning(warning, requested_by_id=payment.order.user_id)
    stripe_sandbox.http.post(
        f"{stripe_sandbox.url}/v1/refunds", data={"payment_intent": payment.stripe_payment_intent_id}, timeout=30
    )
    drain(Refund, seconds=10)  # Stripe refuses ours: the other refund has taken all
    first.refresh_from_db()
    assert first.status == "failed"
    second = refund_because_of_warning(FraudWarning.objects.get(), requested_by_id=payment.order.user_id)
    assert second.pk != first.pk


# --- Refunds at the same time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_recorded_first", [True, False])
def test_a_refund_that_stripe_refuses_because_of_the_dispute_debits_nobody_twice(stripe_sandbox, is_recorded_first):
    """Failure mode 46: the refund was requested before the dispute, and is sent after it."""
    payment = paid_at_stripe(stripe_sandbox, 10000, method="pm_card_createDispute")
    refund = refunded(payment)
    query = {"payment_intent": payment.stripe_payment_intent_id}
    [at_stripe] = wait_for(lambda: stripe_sandbox.get("disputes", **query)["data"])
    steps = [lambda: record_dispute(gateway.retrieve_dispute(at_stripe["id"])), lambda: drain(Refund, seconds=10)]
    for step in steps if is_recorded_first else reversed(steps):
        step()
    refund.refresh_from_db()
    dispute = Dispute.objects.get()
    assert (refund.status, dispute.claimed_minor, dispute.excess_minor) == ("failed", 10000, 0)
    assert (held(teacher_of(payment)), of_teacher(teacher_of(payment)), in_dispute()) == (9000, 9000, 10000)
    assert broken(INVARIANTS) == {}


def test_a_disputes_object_is_copied_to_the_mirror(stripe_sandbox):
    _, [at_stripe] = disputed_at_stripe(stripe_sandbox)
    take_in(*events_at(stripe_sandbox)[:1])
    MirrorSync.objects.update(run_after=Now())
    drain(MirrorSync, seconds=30)
    assert MirrorSync.objects.get(object_type="dispute").state == "done"
    assert mirrored.Dispute.objects.get(id=at_stripe["id"]).stripe_data["reason"] == "fraudulent"


# --- At once ----------------------------------------------------------------------------------------------------------


def at_once(*functions):
    """Run each on a connection of its own at the same moment; returns what they returned or raised."""
    barrier = Barrier(len(functions))

    def run(function):
        barrier.wait(10)
        try:
            return function()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(functions)) as pool:
        futures = [pool.submit(run, function) for function in functions]
    return [future.exception() or future.result() for future in futures]


@pytest.mark.django_db(transaction=True)
def test_workers_that_record_a_dispute_at_once_record_it_once():
    payment = paid_order(10000)
    state = said(payment, "needs_response", [moved(-10000, fee=1500)])
    results = at_once(*[lambda: record_dispute(state).has_changed] * 4)
    assert sorted(results) == [False, False, False, True]
    assert (held(teacher_of(payment)), in_dispute()) == (9000, 10000)
    assert Mail.objects.filter(template="payments/mail/dispute_held").count() == 1
    assert broken(INVARIANTS) == {}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(4))
def test_a_refund_request_and_a_dispute_at_once_take_the_money_once(attempt):
    payment = paid_order(10000)
    state = said(payment, "needs_response", [moved(-10000, fee=1500)])
    refund, recorded = at_once(lambda: refunded(payment), lambda: record_dispute(state))
    payment.refresh_from_db()
    dispute = recorded.dispute
    if isinstance(refund, Refund):
        assert (payment.refunded_minor, dispute.claimed_minor, dispute.excess_minor) == (10000, 0, 10000)
    else:
        assert isinstance(refund, AmountDisputed)
        assert (payment.refunded_minor, dispute.claimed_minor) == (0, 10000)
    assert held(teacher_of(payment)) == 9000
    assert broken(INVARIANTS) == {}
