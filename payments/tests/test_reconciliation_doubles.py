"""Objects at Stripe that bear the same reference of ours are doubles of one another, whatever the order of their ids."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from payments.models import Payment, Payout, PayoutTransfer, Refund
from payments.reconciliation.book_loading import load_groups
from payments.reconciliation.groups import Terms
from payments.reconciliation.kinds import DifferenceKind as Kind
from payments.reconciliation.matching import compare
from payments.reconciliation.statement import Topic
from payments.reconciliation.statement_reading import store_movements
from payments.settlement import settle_payment
from payments.tests.factories import evidence_for, open_order, paid_order, refunded
from payments.tests.payout_factories import approved

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
# Stripe's random ids sort in any order: the object that is recorded is the first, the second or the third.
ORDERS = pytest.mark.parametrize("ours", [0, 1, 2])
SUFFIXES = ("a", "m", "z")


def on_statement(objects, *, kind, minor):
    """A transaction of each of these objects on Stripe's statement, a minute after one another."""
    page = [
        {
            "id": f"txn_{data['id']}",
            "type": kind,
            "reporting_category": kind,
            "amount": minor,
            "fee": 0,
            "currency": "gbp",
            "created": int((NOON + timedelta(minutes=number)).timestamp()),
            "available_on": int(NOON.timestamp()),
            "source": data,
        }
        for number, data in enumerate(objects)
    ]
    store_movements(page, account="acct_1", livemode=False)


def differences(topic, ids):
    """What is found of these keys in one chunk: kind, amount and Stripe's id."""
    terms = Terms(livemode=False, settled_before=timezone.now() + timedelta(hours=1))
    groups = load_groups(sorted(f"{topic}:{each}" for each in ids), account="acct_1", livemode=False)
    return sorted(
        (each.kind, each.amount_minor, each.key.partition(":")[2]) for group in groups for each in compare(group, terms)
    )


def doubles(ids, ours, minor):
    return sorted((Kind.DOUBLE, minor, each) for each in ids if each != ids[ours])


@ORDERS
def test_transfers_of_one_payout(ours):
    payout = approved()
    ids = [f"tr_{suffix}" for suffix in SUFFIXES]
    PayoutTransfer.objects.filter(payout=payout).update(stripe_transfer_id=ids[ours])
    metadata = {"payout": str(payout.reference)}
    on_statement(
        [{"id": each, "object": "transfer", "metadata": metadata} for each in ids], kind="transfer", minor=-9000
    )
    missing = (Kind.MISSING_EVENT, -9000, ids[ours])
    assert differences(Topic.TRANSFER, ids) == sorted([*doubles(ids, ours, -9000), missing])


def test_transfers_of_a_payout_that_names_none_yet_are_one_and_its_doubles():
    payout = approved()
    metadata = {"payout": str(payout.reference)}
    ids = ["tr_z", "tr_a", "tr_m"]
    on_statement(
        [{"id": each, "object": "transfer", "metadata": metadata} for each in ids], kind="transfer", minor=-9000
    )
    assert differences(Topic.TRANSFER, ids) == sorted([(Kind.MISSING_EVENT, -9000, "tr_z"), *doubles(ids, 0, -9000)])
    assert Payout.objects.get().status == "approved"


@ORDERS
def test_refunds_with_one_key(ours):
    refund = refunded(paid_order(2500))
    ids = [f"re_{suffix}" for suffix in SUFFIXES]
    Refund.objects.filter(pk=refund.pk).update(stripe_refund_id=ids[ours])
    metadata = {"refund": refund.idempotency_key}
    intent = refund.payment.stripe_payment_intent_id
    objects = [{"id": each, "object": "refund", "payment_intent": intent, "metadata": metadata} for each in ids]
    on_statement(objects, kind="refund", minor=-2500)
    missing = (Kind.MISSING_EVENT, -2500, ids[ours])
    assert differences(Topic.REFUND, ids) == sorted([*doubles(ids, ours, -2500), missing])


def test_refunds_with_the_key_of_one_that_names_none_yet_are_one_and_its_doubles():
    refund = refunded(paid_order(2500))
    ids = ["re_z", "re_a", "re_m"]
    objects = [
        {
            "id": each,
            "object": "refund",
            "payment_intent": refund.payment.stripe_payment_intent_id,
            "metadata": {"refund": refund.idempotency_key},
        }
        for each in ids
    ]
    on_statement(objects, kind="refund", minor=-2500)
    assert differences(Topic.REFUND, ids) == sorted([(Kind.MISSING_EVENT, -2500, "re_z"), *doubles(ids, 0, -2500)])


def charges_of(payment, intents):
    metadata = {"payment": str(payment.reference)}
    return [
        {"id": f"ch_{intent}", "object": "charge", "payment_intent": intent, "metadata": metadata} for intent in intents
    ]


@ORDERS
def test_charges_with_one_reference(ours):
    payment = open_order()
    ids = [f"pi_{suffix}" for suffix in SUFFIXES]
    settle_payment(evidence_for(payment, payment_intent_id=ids[ours]))
    on_statement(charges_of(payment, ids), kind="charge", minor=2500)
    assert differences(Topic.CHARGE, ids) == doubles(ids, ours, 2500)


def test_charges_of_a_payment_that_no_event_reported_are_one_and_its_doubles():
    payment = open_order()
    ids = ["pi_z", "pi_a", "pi_m"]
    on_statement(charges_of(payment, ids), kind="charge", minor=2500)
    assert differences(Topic.CHARGE, ids) == sorted([(Kind.MISSING_EVENT, 2500, "pi_z"), *doubles(ids, 0, 2500)])
    assert not Payment.objects.get().has_succeeded


def test_a_double_is_found_when_its_original_is_not_among_the_same_keys():
    payment = open_order()
    settle_payment(evidence_for(payment, payment_intent_id="pi_m"))
    on_statement(charges_of(payment, ["pi_m", "pi_z"]), kind="charge", minor=2500)
    assert differences(Topic.CHARGE, ["pi_z"]) == [(Kind.DOUBLE, 2500, "pi_z")]
