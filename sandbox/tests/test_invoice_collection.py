"""Collecting invoices: by a call, automatically, and with refused cards."""

import pytest
import stripe

from sandbox.tests.invoicing import DAY, HOUR, draft, inked, last_event, new_customer, opened, types_since, with_card


@pytest.fixture
def customer(client):
    return new_customer(client)


def test_events_of_the_payment_precede_those_of_the_invoice(sandbox, client, customer):
    with_card(client, customer)
    invoice = opened(client, customer)
    paid = client.v1.invoices.pay(invoice.id)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 2000, 0)
    assert (paid.attempted, paid.attempt_count, paid.auto_advance) == (True, 1, False)
    sandbox.advance(3)
    assert types_since(sandbox, "charge.succeeded") == [
        "charge.succeeded", "payment_intent.succeeded", "invoice.updated", "invoice.paid", "invoice.payment_succeeded",
        "invoice_payment.paid",
    ]  # fmt: skip
    previous = last_event(client, "invoice.updated").previous_attributes.to_dict()
    assert previous == {
        "amount_paid": 0,
        "amount_remaining": 2000,
        "attempt_count": 0,
        "attempted": False,
        "status": "open",
        "status_transitions": {"paid_at": None},
    }
    event = client.v1.events.list({"type": "invoice_payment.paid"}).data[0]
    assert (event["request"]["id"], event.data.object.status, event.data.object.amount_paid) == (None, "paid", 2000)
    [payment] = client.v1.invoice_payments.list({"invoice": invoice.id, "status": "paid"}).data
    intent = client.v1.payment_intents.retrieve(payment.payment.payment_intent, {"expand": ["latest_charge"]})
    assert (intent.status, intent.latest_charge.balance_transaction is None) == ("succeeded", False)
    with pytest.raises(stripe.InvalidRequestError, match="Invoice is already paid"):
        client.v1.invoices.pay(invoice.id)


def test_paying_a_draft_finalizes_it(sandbox, client, customer):
    invoice = inked(client, customer)
    assert client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"}).status == "paid"
    assert types_since(sandbox, "invoice.finalized")[:3] == [
        "invoice.finalized", "payment_intent.created", "charge.succeeded",
    ]  # fmt: skip


def test_a_refused_card_leaves_the_invoice_open(sandbox, client, customer):
    with_card(client, customer, "pm_card_chargeCustomerFail")
    invoice = opened(client, customer)
    with pytest.raises(stripe.CardError) as declined:
        client.v1.invoices.pay(invoice.id)
    assert (declined.value.code, declined.value.error.payment_intent.status) == (
        "card_declined",
        "requires_payment_method",
    )
    again = client.v1.invoices.retrieve(invoice.id)
    assert (again.status, again.attempted, again.attempt_count, again.next_payment_attempt) == ("open", True, 1, None)
    assert types_since(sandbox, "charge.failed") == [
        "charge.failed", "payment_intent.payment_failed", "invoice.payment_failed", "invoice.updated",
    ]  # fmt: skip
    assert client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"}).attempt_count == 1


def test_without_a_method_no_payment_is_attempted(sandbox, client, customer):
    invoice = opened(client, customer)
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source") as missing:
        client.v1.invoices.pay(invoice.id)
    assert missing.value.code == "resource_missing"
    assert client.v1.invoices.retrieve(invoice.id).attempted is False
    assert types_since(sandbox, "payment_intent.created") == ["payment_intent.created"]


def test_a_card_that_requires_authentication(sandbox, client, customer):
    with_card(client, customer, "pm_card_authenticationRequired")
    invoice = opened(client, customer)
    with pytest.raises(stripe.CardError) as refused:
        client.v1.invoices.pay(invoice.id)
    assert refused.value.code == "invoice_payment_intent_requires_action"
    assert types_since(sandbox, "payment_intent.requires_action") == [
        "payment_intent.requires_action", "invoice.payment_action_required", "invoice.payment_failed",
        "invoice.updated",
    ]  # fmt: skip
    [payment] = client.v1.invoice_payments.list({"invoice": invoice.id}).data
    sandbox.post(f"/3ds/{payment.payment.payment_intent}", outcome="pass")
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"
    assert types_since(sandbox, "charge.succeeded")[:4] == [
        "charge.succeeded", "payment_intent.succeeded", "invoice.updated", "invoice.paid",
    ]  # fmt: skip


def test_failing_to_authenticate_fails_the_invoice(sandbox, client, customer):
    invoice = opened(client, customer)
    with pytest.raises(stripe.CardError):
        client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_threeDSecure2Required"})
    [payment] = client.v1.invoice_payments.list({"invoice": invoice.id}).data
    sandbox.post(f"/3ds/{payment.payment.payment_intent}", outcome="fail")
    assert client.v1.invoices.retrieve(invoice.id).status == "open"
    assert sandbox.event_types()[-3:] == ["payment_intent.payment_failed", "invoice.payment_failed", "invoice.updated"]
    assert last_event(client, "invoice.updated").previous_attributes.to_dict() == {"attempt_count": 0}


def test_confirming_the_intent_pays_the_invoice(sandbox, client, customer):
    invoice = opened(client, customer)
    [payment] = client.v1.invoice_payments.list({"invoice": invoice.id}).data
    client.v1.payment_intents.confirm(payment.payment.payment_intent, {"payment_method": "pm_card_visa"})
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"


def test_paid_out_of_band_creates_no_charge(sandbox, client, customer):
    invoice = opened(client, customer)
    paid = client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid, paid.attempted, paid.attempt_count) == ("paid", 2000, False, 0)
    assert client.v1.charges.list().data == []
    assert types_since(sandbox, "payment_intent.canceled") == [
        "payment_intent.canceled", "invoice.updated", "invoice.paid", "invoice.payment_succeeded",
    ]  # fmt: skip


def test_an_invoice_with_nothing_due_is_paid_immediately(sandbox, client, customer):
    invoice = opened(client, customer, amount=0)
    assert (invoice.status, invoice.attempted, invoice.attempt_count) == ("paid", True, 0)
    assert types_since(sandbox, "invoice.finalized") == [
        "invoice.finalized", "invoice.updated", "invoice.paid", "invoice.payment_succeeded",
    ]  # fmt: skip
    assert client.v1.invoice_payments.list({"invoice": invoice.id}).data == []


def test_an_invoice_with_auto_advance_is_finalized_and_charged_after_an_hour(sandbox, client, customer):
    with_card(client, customer)
    invoice = inked(client, customer, auto_advance=True)
    assert invoice.next_payment_attempt == invoice.created + HOUR
    assert invoice.automatically_finalizes_at == invoice.created + HOUR + 1
    sandbox.advance(HOUR - 60)
    assert client.v1.invoices.retrieve(invoice.id).status == "draft"
    sandbox.advance(120)
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"
    sandbox.advance(3)
    assert types_since(sandbox, "invoice.finalized") == [
        "invoice.finalized", "payment_intent.created", "charge.succeeded", "payment_intent.succeeded",
        "invoice.updated", "invoice.paid", "invoice.payment_succeeded", "invoice_payment.paid",
    ]  # fmt: skip
    assert all(event["request"]["id"] is None for event in client.v1.events.list({"type": "invoice.paid"}).data)


def test_a_failed_collection_is_retried_until_the_last_attempt(sandbox, client, customer):
    with_card(client, customer, "pm_card_chargeCustomerFail")
    invoice = inked(client, customer, auto_advance=True)
    sandbox.advance(HOUR + 60)
    failed = client.v1.invoices.retrieve(invoice.id)
    assert (failed.attempt_count, failed.next_payment_attempt > failed.created + HOUR) == (1, True)
    sandbox.advance(20 * DAY)
    given_up = client.v1.invoices.retrieve(invoice.id)
    assert (given_up.status, given_up.attempt_count, given_up.next_payment_attempt) == ("open", 4, None)
    assert sandbox.event_types().count("invoice.payment_failed") == 4


def test_a_new_card_ends_the_retries(sandbox, client, customer):
    with_card(client, customer, "pm_card_chargeCustomerFail")
    invoice = inked(client, customer, auto_advance=True)
    sandbox.advance(HOUR + 60)
    with_card(client, customer)
    sandbox.advance(4 * DAY)
    paid = client.v1.invoices.retrieve(invoice.id)
    assert (paid.status, paid.attempt_count, paid.next_payment_attempt) == ("paid", 1, None)


def test_an_invoice_of_a_test_clock_follows_that_clock(sandbox, client):
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000})
    timeless = client.v1.customers.create({"email": "t@example.org", "test_clock": clock.id})
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": timeless.id})
    made = draft(client, timeless, 2000, auto_advance=True, default_payment_method=method.id)
    assert (made.created, made.test_clock) == (1_800_000_000, clock.id)
    sandbox.advance(2 * 3600)
    assert client.v1.invoices.retrieve(made.id).status == "draft"
    client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": 1_800_000_000 + 2 * 3600})
    sandbox.drain()
    paid = client.v1.invoices.retrieve(made.id)
    assert (paid.status, paid.status_transitions.paid_at) == ("paid", 1_800_000_000 + 3600)
