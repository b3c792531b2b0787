"""Stripe's reports many times at the same moment, in contradiction, or before our own commit: each has its effect once."""

import uuid

import pytest

from ledger.entries import JournalKind
from ledger.models import Journal
from money import Money
from notifications.models import Mail
from payments.disputes.recording import RecordedDispute, record_dispute
from payments.finding import PaymentNotSettledYet
from payments.models import Dispute, Payout, PayoutReversal, Refund
from payments.payouts import sending
from payments.payouts.recording import record_transfer
from payments.payouts.stripe_objects import StripeReversal, StripeTransfer
from payments.refunds.recording import RecordedRefund, record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import StripeRefund
from payments.tests.factories import evidence_for, open_order, paid_order, refunded
from payments.tests.money_model.machine import NOW
from payments.tests.money_model.machine_disputes import as_stripe_reports
from payments.tests.money_model.snapshots import Snapshot, opened
from payments.tests.payout_factories import approved, books_of, teacher_with
from payments.tests.races import (
    at_once,
    before_the_commit,
    dispute_all,
    figures,
    matured_sale,
    one_waits_for_the_other,
    order_of,
    outcome_of,
    report_on,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("all_invariants_hold", "shares_mature_at_once"),
]


# --- Refunds and disputes ---


def test_a_dispute_reported_many_times_at_once_is_one():
    payment, _ = matured_sale()
    outcomes = at_once(*[lambda: dispute_all(payment)] * 4)
    assert [type(each) for each in outcomes] == [RecordedDispute] * 4, outcomes
    assert sum(each.has_changed for each in outcomes) == 1
    assert (Dispute.objects.get().claimed_minor, figures()["funds_in_dispute"]) == (4000, 4000)


def test_loss_and_opening_reported_at_once_end_as_lost():
    payment, teacher = matured_sale()
    opening = opened(order_of(payment), 4000)
    lost = Snapshot(1, opening.order, 4000, "lost", opening.movements)
    outcomes = at_once(*[lambda each=each: record_dispute(as_stripe_reports("du_1", each)) for each in (opening, lost)])
    assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
    assert (Dispute.objects.get().status, books_of(teacher)) == ("lost", (0, 0))
    assert figures() == {"stripe_clearing": -15, "dispute_fees": 15}


# --- Reports twice at once, and before our own commit -----------------------------------------------------------------


def test_a_refund_reported_many_times_at_once_is_booked_once():
    refund = refunded(paid_order(4000))
    outcomes = at_once(*[lambda: report_on(refund)] * 4)
    assert sum(each.has_changed for each in outcomes) == 1
    assert Journal.objects.filter(kind=JournalKind.REFUND).count() == 1
    assert figures() == {}


def test_success_and_failure_reported_at_once_end_as_failed():
    refund = refunded(paid_order(4000))
    outcomes = at_once(lambda: report_on(refund), lambda: report_on(refund, "failed"))
    assert [type(each) for each in outcomes] == [RecordedRefund] * 2
    assert Refund.objects.get().status == "failed"
    assert figures() == {"stripe_clearing": 4000, "platform_fees": 400, "teacher_pending": 3600}


def test_a_report_before_the_request_is_committed_waits_and_finds_it():
    payment, key = paid_order(4000), str(uuid.uuid4())

    def request():
        refund = refunded(payment)
        Refund.objects.filter(pk=refund.pk).update(idempotency_key=key)
        return refund

    ours = Refund(payment=payment, amount_minor=4000, currency="GBP", idempotency_key=key)
    requested, recorded = one_waits_for_the_other(request, lambda: report_on(ours))
    assert (recorded.refund, recorded.refund.reason) == (requested, "goodwill")
    assert (Refund.objects.count(), figures()) == (1, {})


def test_reports_before_the_settlement_is_committed_are_told_to_come_again():
    payment = open_order()
    reference = str(payment.reference)
    refund = StripeRefund(
        id="re_1",
        status="succeeded",
        amount=Money(500, "GBP"),
        payment_intent_id=f"pi_{payment.reference.hex}",
        refund_key="",
        payment_reference=reference,
    )
    seen = before_the_commit(
        lambda: settle_payment(evidence_for(payment)),
        lambda: (
            type(outcome_of(lambda: record_refund(refund))),
            type(outcome_of(lambda: dispute_all(payment, reference=reference))),
        ),
    )[1]
    assert seen == (PaymentNotSettledYet, PaymentNotSettledYet)
    assert record_refund(refund).has_changed
    assert dispute_all(payment, reference=reference).has_changed
    assert (Refund.objects.get().amount_minor, Dispute.objects.get().claimed_minor) == (500, 2000)


# --- Transfers --------------------------------------------------------------------------------------------------------


def sent_payout():
    """A payout of 90.00 whose request has left for Stripe, and the transfer that it is there."""
    teacher = teacher_with(9000)
    payout = approved(teacher)
    assert sending._begin_to_send(payout.transfer)
    account = teacher.connected_accounts.get().stripe_account_id
    return teacher, payout, account


def transfer_of(payout, account, *returned):
    return StripeTransfer(
        id="tr_1",
        amount=payout.amount,
        cost=Money(0, "GBP"),
        destination_id=account,
        destination_payment_id="py_1",
        payout_reference=str(payout.reference),
        created_at=NOW,
        reversals=tuple(
            StripeReversal(id=f"trr_{at}", amount=Money(minor, "GBP"), arrived=Money(minor, "GBP"), reversal_key="")
            for at, minor in enumerate(returned)
        ),
    )


def test_a_transfer_reported_many_times_at_once_is_paid_once():
    teacher, payout, account = sent_payout()
    outcomes = at_once(*[lambda: record_transfer(transfer_of(payout, account))] * 4)
    assert [each.status for each in outcomes] == ["paid"] * 4
    assert Journal.objects.filter(kind=JournalKind.PAYOUT_PAID).count() == 1
    assert (books_of(teacher), Mail.objects.filter(template__contains="payout_paid").count()) == ((0, 0), 1)


def test_a_reversal_reported_many_times_at_once_comes_back_once():
    teacher, payout, account = sent_payout()
    outcomes = at_once(*[lambda: record_transfer(transfer_of(payout, account, 4000))] * 4)
    assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
    assert (PayoutReversal.objects.count(), books_of(teacher)) == (1, (4000, 0))


@pytest.mark.parametrize("is_refusal_first", [True, False])
def test_a_transfer_that_a_worker_believes_refused_is_paid_in_the_end(is_refusal_first):
    """The worker read a refusal, and the event of the transfer arrives at the same moment."""
    teacher, payout, account = sent_payout()
    actions = [
        lambda: sending._record_refusal(payout, "The account was closed."),
        lambda: record_transfer(transfer_of(payout, account)),
    ]
    outcomes = one_waits_for_the_other(*(actions if is_refusal_first else reversed(actions)))
    assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
    assert (Payout.objects.get().status, books_of(teacher)) == ("paid", (0, 0))
