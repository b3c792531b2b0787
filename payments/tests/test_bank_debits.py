"""Bank debits are confirmed or refused days later. With or without a webhook, they are checked until they have ended."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from jobs.runner import drain
from money import Money
from notifications.models import Alert, Mail
from payments.models import ChargeLookup, Order, Payment
from payments.payers import write_billing_address
from payments.settlement import settle_payment
from payments.tests.factories import cart_with, evidence_for, open_order, sample_offer
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_checkout import press_pay, signed_in, take_in_and_work

pytestmark = pytest.mark.django_db
SUCCEEDS, FAILS = "AT611904300234573201", "AT861904300235473202"


@pytest.fixture
def debit(stripe_sandbox, settings):
    """Pay a new order by a debit of this account; the bank answers once the sandbox's clock moves."""
    settings.CURRENCIES = ["GBP", "EUR"]

    def begin(iban):
        cart = cart_with(sample_offer(Money(2500, "EUR")))
        client = signed_in(cart.user)
        # The sandbox offers debits only if the request names them; at Stripe the Dashboard decides, so ours names none.
        stripe_sandbox.fault("server_error", path="/v1/checkout/sessions", count=3)
        press_pay(client, cart)
        payment = Payment.objects.get()
        payment.session_request["payment_method_types"] = ["card", "sepa_debit"]
        payment.save()
        press_pay(client, cart)
        payment.refresh_from_db()
        method = stripe_sandbox.http.post(
            f"{stripe_sandbox.url}/v1/payment_methods",
            data={
                "type": "sepa_debit",
                "sepa_debit[iban]": iban,
                "billing_details[email]": "a@example.org",
                "billing_details[name]": "A",
            },
            timeout=30,
        ).json()
        answer = stripe_sandbox.pay(payment.stripe_session_id, method=method["id"])
        assert answer.ok, answer.text
        return payment

    return begin


def follow_up(payment):
    Payment.objects.update(run_after="2000-01-01T00:00Z")
    drain(Payment, seconds=5)
    payment.refresh_from_db()
    return payment


def days_later(sandbox, days):
    sandbox.switch("clock", advance=days * 86_400)
    return time_machine.travel(timezone.now() + timedelta(days=days))


@pytest.mark.parametrize(
    ("iban", "ended"),
    [(SUCCEEDS, ("succeeded", "completed", "done")), (FAILS, ("failed", "cancelled", "done"))],
)
def test_without_a_webhook_the_follow_up_gets_the_answer_days_later_and_ends(stripe_sandbox, debit, iban, ended):
    stripe_sandbox.switch("clock", set=int(timezone.now().timestamp()))
    payment = debit(iban)
    with time_machine.travel(timezone.now() + timedelta(minutes=40)):
        follow_up(payment)
    with days_later(stripe_sandbox, 3):
        follow_up(payment)
    assert (payment.status, payment.order.state, payment.state) == ended


def test_a_processing_debit_is_checked_every_six_hours(stripe_sandbox, debit, monkeypatch):
    payment = debit("AT321904300235473204")
    with time_machine.travel(timezone.now() + timedelta(minutes=40)):
        follow_up(payment)
    assert (payment.status, payment.order.state) == ("processing", "payment_pending")
    assert (payment.state, payment.postponements) == ("waiting", 1)
    assert timedelta(hours=5) < payment.run_after - timezone.now() < timedelta(hours=7)
    follow_up(payment)
    assert (payment.status, payment.state, payment.postponements) == ("processing", "waiting", 2)


def test_a_refused_debit_releases_the_places_restores_the_cart_and_mails_the_student_once(stripe_sandbox, debit):
    payment = debit(FAILS)
    take_in_and_work()
    with days_later(stripe_sandbox, 3):
        follow_up(payment)
        take_in_and_work()
    payment.refresh_from_db()
    assert (payment.status, payment.order.state) == ("failed", "cancelled")
    assert payment.order.cart.lines.count() == 1
    assert SAMPLE.calls["release", payment.order.lines.get().reference] == 1
    assert Mail.objects.filter(template="payments/mail/debit_refused").count() == 1


def test_a_debit_that_is_never_answered_alerts_staff(debit, stripe_sandbox):
    payment = debit("AT321904300235473204")
    with time_machine.travel(timezone.now() + timedelta(minutes=40)):
        follow_up(payment)
    Payment.objects.update(postponements=Payment.max_postponements)
    follow_up(payment)
    assert payment.state == "parked"
    assert Alert.objects.get().key == f"payment-parked:{payment.pk}"


def look_up():
    ChargeLookup.objects.update(run_after="2000-01-01T00:00Z")
    drain(ChargeLookup, seconds=5)
    return ChargeLookup.objects.get()


def test_charge_balance_transaction_and_fee_are_stored_once_stripe_reports_them(stripe_sandbox):
    cart = cart_with(sample_offer(Money(2500, "GBP")))
    press_pay(signed_in(cart.user), cart)
    payment = Payment.objects.get()
    stripe_sandbox.pay(payment.stripe_session_id)
    take_in_and_work()
    lookup = look_up()
    while lookup.state == "waiting":
        lookup = look_up()
    payment.refresh_from_db()
    charge = stripe_sandbox.get(f"charges/{payment.stripe_charge_id}")
    transaction = stripe_sandbox.get(f"balance_transactions/{payment.stripe_balance_transaction_id}")
    assert charge["payment_intent"] == payment.stripe_payment_intent_id
    assert charge["balance_transaction"] == transaction["id"]
    assert payment.stripe_fee == Money(transaction["fee"], transaction["currency"].upper())
    assert transaction["fee"] > 0
    assert payment.paid_with == "Visa ending in 4242"
    assert payment.billed_to == write_billing_address(charge)


def test_while_the_balance_transaction_is_unknown_the_charge_is_looked_up_again(stripe_sandbox, debit):
    """A debit that is processing has a charge, but no balance transaction for days."""
    payment = debit("AT321904300235473204")
    intent = stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}")["payment_intent"]
    settle_payment(evidence_for(payment, payment_intent_id=intent))
    lookup = look_up()
    payment.refresh_from_db()
    assert (lookup.state, lookup.postponements) == ("waiting", 1)
    assert payment.stripe_charge_id.startswith(("ch_", "py_"))
    assert payment.stripe_fee is None
    first_wait = lookup.run_after - timezone.now()
    assert look_up().run_after - timezone.now() > first_wait


def test_settling_queues_one_charge_lookup_and_a_repeat_none():
    payment = open_order()
    settle_payment(evidence_for(payment))
    settle_payment(evidence_for(payment))
    assert ChargeLookup.objects.get().payment == payment
    assert Order.objects.get().is_paid
