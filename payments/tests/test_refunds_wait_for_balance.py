"""A refund that Stripe holds because the platform's balance is too low is an alert until it goes on."""

import pytest

from notifications.models import Alert
from payments.refunds.recording import record_refund
from payments.tests.factories import paid_order, refunded
from payments.tests.test_refund_recording import said_of

pytestmark = pytest.mark.django_db


def open_alerts():
    return Alert.objects.filter(key__startswith="refund-waits-for-balance:", cleared_at=None)


@pytest.mark.parametrize("end", ["succeeded", "failed"])
def test_it_is_one_alert_with_the_amount_and_what_to_do_until_it_goes_on(end):
    payment = paid_order(2500, 1500)
    refund = refunded(payment)
    record_refund(said_of(refund, "pending", pending_reason="processing"))
    assert not open_alerts().exists()
    for _ in range(2):
        record_refund(said_of(refund, "pending", pending_reason="insufficient_funds"))
    alert = open_alerts().get()
    assert alert.title == "A refund of £40.00 waits: the platform's GBP balance at Stripe is too low"
    assert (alert.detail["order"], alert.detail["amount"]) == (payment.order.number, "£40.00")
    assert "Add funds" in alert.detail["what to do"]
    record_refund(said_of(refund, end))
    assert not open_alerts().exists()
