"""An order is paid once: a second payment is refunded automatically, and a payment that has ended stays ended."""

import uuid

import pytest
from django.utils import timezone

from notifications.models import Alert, Mail
from payments.models import Payment, Refund
from payments.outcomes import record_expiry
from payments.settlement import Settlement, settle_payment
from payments.tests.factories import event_of, evidence_for, open_order, session_object
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_settlement import completed, receive, stored

pytestmark = pytest.mark.django_db


def another_payment_of(first):
    """Another payment of the first one's order; the first has ended, as far as we know."""
    Payment.objects.filter(pk=first.pk).update(status="expired", ended_at=timezone.now())
    reference = uuid.uuid4()
    return Payment.objects.create(
        order=first.order,
        reference=reference,
        idempotency_key=f"key-{reference}",
        session_request=first.session_request,
        status="open",
        stripe_session_id=f"cs_test_{reference.hex}",
        session_url="http://127.0.0.1/",
        amount_minor=first.amount_minor,
        currency=first.currency,
        expires_at=first.expires_at,
        livemode=False,
    )


def test_a_second_payment_of_a_paid_order_is_refunded_with_one_mail():
    first = open_order()
    second = another_payment_of(first)
    assert settle_payment(evidence_for(second))[1] == Settlement.SETTLED
    event = completed(first)
    receive(event)
    again = event_of("checkout.session.completed", session_object(first))
    receive(again)
    first.refresh_from_db()
    refund = Refund.objects.get()
    assert (refund.payment, refund.amount_minor, refund.reason) == (first, first.amount_minor, "second_payment")
    assert (first.status, first.stripe_payment_intent_id) == ("failed", f"pi_{first.reference.hex}")
    assert [stored(each).state for each in (event, again)] == ["done", "done"]
    assert Mail.objects.filter(template="payments/mail/paid_twice").count() == 1
    assert Alert.objects.get().key == f"paid-twice:{first.pk}"
    assert SAMPLE.calls["fulfil", first.order.lines.get().reference] == 1
    second.refresh_from_db()
    assert second.status == "succeeded"


def test_a_page_that_expires_after_another_payment_paid_the_order_has_ended():
    first = open_order()
    second = another_payment_of(first)
    settle_payment(evidence_for(first))
    assert not record_expiry(second)
    second.refresh_from_db()
    assert second.status == "expired"
    assert second.ended_at is not None
    assert second.order.is_paid
