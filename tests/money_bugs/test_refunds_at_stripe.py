"""Refunds whose trap lies between Lectern and Stripe: RF-09, RF-13 and RF-16."""

from payments.models import OrderLine, Refund
from payments.refunds import sending
from payments.tests.sample_domain import SAMPLE


def test_rf_09_a_step_that_fails_after_stripes_answer_is_made_good(at_stripe, monkeypatch):
    """dancerfly/django-brambling#344: the money had gone back, but no refund was on record, and the place stayed."""
    sale = at_stripe.sell("30.00")
    sale.refund()

    def raises(_):
        raise RuntimeError("the next step")

    with monkeypatch.context() as broken:
        broken.setattr(sending, "record_refund", raises)
        broken.setattr("payments.webhook.event_handlers.record_refund", raises)
        at_stripe.works()
    assert sale.refunds_at_stripe() == [3000]
    at_stripe.works()
    at_stripe.works()
    assert sale.refunds_at_stripe() == [3000]
    sale.shows(refunds=1, refunded="30.00", mails=1)
    at_stripe.shows(A="0.00", platform="0.00")
    line = sale.line(1).row
    assert (line.state, SAMPLE.delivered[line.pk]) == (OrderLine.State.REVOKED, [])


def test_rf_13_both_ends_agree_on_a_partial_refund(at_stripe):
    """woocommerce/woocommerce-gateway-stripe#738: Stripe gave back 100.00 where the shop showed 20.00."""
    sale = at_stripe.sell("100.00")
    sale.refund("20.00")
    at_stripe.works()
    assert sale.refunds_at_stripe() == [2000]
    sale.shows(refunded="20.00", refundable="80.00")
    at_stripe.shows(A="72.00", fees="8.00")


def test_rf_16_a_refund_whose_answer_was_lost_is_looked_up(at_stripe):
    """veolms/veolms#56: marked as failed and released, so that the retry made a second refund with a new key."""
    sale = at_stripe.sell("100.00")
    sale.refund("30.00")
    at_stripe.sandbox.fault("drop_reply", path="/v1/refunds", count=3)
    at_stripe.sends_refunds()
    row = Refund.objects.get()
    assert (row.status, row.state, row.stripe_refund_id) == ("requested", "waiting", None)
    sale.shows(refunded="0.00", refundable="70.00")
    # By now Stripe has forgotten the idempotency key.
    at_stripe.sandbox.switch("clock", advance=25 * 3600)
    at_stripe.sends_refunds()
    assert sale.refunds_at_stripe() == [3000]
    at_stripe.works()
    sale.shows(refunds=1, refunded="30.00", refundable="70.00")
    at_stripe.shows(A="63.00", fees="7.00")
