import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import stripe


def test_a_guest_payment_completes_the_session_with_events_in_stripes_order(sandbox, client):
    session = sandbox.session(metadata={"order": "7"}, payment_intent_data={"metadata": {"order": "7"}})
    assert (session.status, session.payment_intent, session.customer_creation) == ("open", None, "if_required")

    assert sandbox.pay(session).status_code == 200

    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    charge = paid.payment_intent.latest_charge
    assert (paid.status, paid.payment_status, paid.url, paid.customer) == ("complete", "paid", None, None)
    assert (charge.amount_captured, charge.balance_transaction, charge.metadata["order"]) == (2000, None, "7")
    assert sandbox.event_types() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_the_balance_transaction_comes_later_with_charge_updated(sandbox, client):
    session = sandbox.session()
    sandbox.pay(session)
    sandbox.advance(3)
    charge = client.v1.charges.retrieve(sandbox.intent_of(session).latest_charge, {"expand": ["balance_transaction"]})
    assert (charge.balance_transaction.fee, charge.balance_transaction.net) == (88, 1912)
    updated = client.v1.events.list({"type": "charge.updated"}).data[0]
    assert updated.data.previous_attributes["balance_transaction"] is None
    assert updated["request"]["id"] is None


def test_a_decline_then_a_success_are_two_charges_of_one_intent(sandbox, client):
    session = sandbox.session()
    declined = sandbox.pay(session, "pm_card_visa_chargeDeclinedInsufficientFunds")
    assert declined.status_code == 402
    error = declined.json()["error"]
    assert (error["code"], error["decline_code"]) == ("card_declined", "insufficient_funds")
    assert error["payment_intent"]["last_payment_error"]["charge"] == error["charge"]
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"

    sandbox.pay(session)

    intent = sandbox.intent_of(session)
    assert intent.id == error["payment_intent"]["id"]
    statuses = [c.status for c in client.v1.charges.list({"payment_intent": intent.id}).data]
    assert statuses == ["succeeded", "failed"]
    assert sandbox.event_types()[:5] == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


@pytest.mark.parametrize(
    ("outcome", "status", "events"),
    [
        ("pass", "succeeded", ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]),
        ("fail", "requires_payment_method", ["payment_intent.payment_failed"]),
    ],
)
def test_three_d_secure_passed_and_failed(sandbox, client, outcome, status, events):
    session = sandbox.session()
    sandbox.pay(session, "pm_card_threeDSecure2Required")
    intent = sandbox.intent_of(session)
    assert (intent.status, intent.latest_charge) == ("requires_action", None)

    answer = sandbox.post(f"/3ds/{intent.id}", outcome=outcome)

    assert answer.status_code == 303
    after = sandbox.intent_of(session)
    assert after.status == status
    assert sandbox.event_types() == ["payment_intent.created", "payment_intent.requires_action", *events]
    if outcome == "fail":
        assert after.last_payment_error.code == "payment_intent_authentication_failure"
        assert client.v1.charges.list().data == []
    else:
        card = client.v1.charges.retrieve(after.latest_charge).payment_method_details.card
        assert card.three_d_secure.result == "authenticated"


def test_insufficient_funds_after_authentication_leaves_the_session_open(sandbox):
    session = sandbox.session()
    sandbox.pay(session, "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds")
    intent = sandbox.intent_of(session)
    answer = sandbox.post(f"/3ds/{intent.id}", outcome="pass")
    assert f"/c/pay/{session.id}" in answer.headers["Location"]
    assert sandbox.intent_of(session).last_payment_error.decline_code == "insufficient_funds"


def test_a_session_expires_by_the_clock_and_cancels_its_intent(sandbox, client):
    session = sandbox.session(expires_at=int(time.time()) + 1800)
    sandbox.pay(session, "pm_card_visa_chargeDeclined")
    sandbox.advance(1900)
    expired = client.v1.checkout.sessions.retrieve(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    intent = sandbox.intent_of(session)
    assert (intent.status, intent.cancellation_reason) == ("canceled", "automatic")
    assert sandbox.event_types()[-2:] == ["payment_intent.canceled", "checkout.session.expired"]
    assert sandbox.pay(session).status_code == 400


def test_expiring_over_the_api_works_once(sandbox, client):
    session = sandbox.session()
    assert client.v1.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match='status of "expired"'):
        client.v1.checkout.sessions.expire(session.id)


@pytest.mark.parametrize("seconds", [1700, 86500])
def test_expires_at_outside_half_an_hour_to_a_day_is_refused(sandbox, seconds):
    with pytest.raises(stripe.InvalidRequestError, match="between 30 minutes and 24 hours"):
        sandbox.session(expires_at=int(time.time()) + seconds)


def bank_debit(client, iban):
    return client.v1.payment_methods.create({"type": "sepa_debit", "sepa_debit": {"iban": iban}}).id


@pytest.mark.parametrize(
    ("iban", "paid", "last"),
    [
        ("AT611904300234573201", "paid", "async_payment_succeeded"),
        ("AT861904300235473202", "unpaid", "async_payment_failed"),
    ],
)
def test_a_bank_debit_completes_the_session_unpaid_and_is_answered_later(sandbox, client, iban, paid, last):
    session = sandbox.session(currency="eur", payment_method_types=["card", "sepa_debit"])
    sandbox.switch("clock", advance=0)
    sandbox.pay(session, bank_debit(client, iban))
    first = client.v1.events.list({"type": "checkout.session.completed"}).data[0].data.object
    assert (first.status, first.payment_status) == ("complete", "unpaid")

    sandbox.advance(3)

    after = client.v1.checkout.sessions.retrieve(session.id)
    assert (after.status, after.payment_status) == ("complete", paid)
    types = sandbox.event_types()
    assert f"checkout.session.{last}" in types
    assert types[:4] == [
        "payment_intent.created",
        "payment_intent.processing",
        "charge.pending",
        "checkout.session.completed",
    ]


def test_a_customer_is_created_only_on_request(sandbox, client):
    sandbox.pay(sandbox.session())
    assert client.v1.customers.list().data == []
    session = sandbox.session(customer_creation="always", customer_email="ada@example.org")
    sandbox.pay(session)
    customer = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer"]}).customer
    assert customer.email == "ada@example.org"


def test_a_free_session_completes_without_an_intent(sandbox, client):
    session = sandbox.session(amount=0)
    sandbox.pay(session)
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status, done.payment_intent) == ("complete", "no_payment_required", None)
    assert sandbox.event_types() == ["checkout.session.completed"]


def test_line_items_and_their_prices_are_shown_when_expanded(sandbox, client):
    session = sandbox.session(expand=["line_items.data.price.product", "total_details.breakdown"])
    line = session.line_items.data[0]
    assert (line.amount_total, line.price.product.name, line.price.active) == (2000, "Watercolour & ink", False)
    assert session.total_details.breakdown.discounts == []
    assert not hasattr(client.v1.checkout.sessions.retrieve(session.id), "line_items")


def test_fifty_buyers_pay_at_the_same_moment(sandbox, client):
    sessions = [sandbox.session() for _ in range(50)]
    barrier = threading.Barrier(25)

    def pay(session):
        barrier.wait(timeout=30)
        url = f"{sandbox.url}/v1/payment_pages/{session.id}/confirm"
        return requests.post(url, auth=sandbox.http.auth, data={"payment_method": "pm_card_visa"}, timeout=30)

    with ThreadPoolExecutor(25) as buyers:
        answers = list(buyers.map(pay, sessions))
    assert Counter(answer.status_code for answer in answers) == {200: 50}
    intents = list(client.v1.payment_intents.list({"limit": 100}).auto_paging_iter())
    assert Counter(intent.status for intent in intents) == {"succeeded": 50}


PAGE_FORM = {
    "email": "ada@example.org",
    "method": "card",
    "cardNumber": "4242 4242 4242 4242",
    "cardExpiry": "12 / 34",
    "cardCvc": "123",
    "billingName": "Ada L",
    "billingCountry": "GB",
}


def test_the_hosted_page_charges_a_card_and_redirects_to_the_success_url(sandbox, client):
    session = sandbox.session()
    page = sandbox.get(f"/c/pay/{session.id}")
    assert "$20.00" in page.text
    assert "Watercolour &amp; ink" in page.text
    assert "<script" not in page.text
    answer = sandbox.post(f"/c/pay/{session.id}", **PAGE_FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"http://shop.example/done?session={session.id}")
    details = client.v1.checkout.sessions.retrieve(session.id).customer_details
    assert (details.email, details.name, details.address.country) == ("ada@example.org", "Ada L", "GB")
    assert "cannot be paid again" in sandbox.get(f"/c/pay/{session.id}").text


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("cardNumber", "4242424242424241", "Your card number is incorrect."),
        ("cardExpiry", "13/34", "Your card&#x27;s expiration month is invalid."),
        ("cardExpiry", "12/20", "Your card&#x27;s expiration year is invalid."),
        ("cardCvc", "12", "Your card&#x27;s security code is invalid."),
        ("cardNumber", "4000000000009995", "Your card has insufficient funds."),
        ("email", "", "Required"),
    ],
)
def test_the_hosted_page_shows_errors_at_their_field(sandbox, field, typed, message):
    session = sandbox.session()
    page = sandbox.post(f"/c/pay/{session.id}", **PAGE_FORM | {field: typed})
    assert page.status_code == 422
    assert message in re.search(rf'id="{field}-error">([^<]*)<', page.text).group(1)
    assert re.search(rf'<input id="{field}"[^>]*autofocus', page.text)


def test_pressing_pay_twice_charges_once(sandbox, client):
    session = sandbox.session()

    def press(_):
        return requests.post(f"{sandbox.url}/c/pay/{session.id}", data=PAGE_FORM, allow_redirects=False, timeout=30)

    with ThreadPoolExecutor(4) as fingers:
        answers = list(fingers.map(press, range(4)))
    assert {answer.headers.get("Location") for answer in answers} == {f"http://shop.example/done?session={session.id}"}
    assert len(client.v1.charges.list().data) == 1


def test_a_customer_without_an_email_gets_the_one_entered(sandbox, client):
    customer = client.v1.customers.create({"name": "Ada"})
    session = sandbox.session(customer=customer.id)
    sandbox.post(f"/c/pay/{session.id}", **PAGE_FORM)
    assert client.v1.customers.retrieve(customer.id).email == "ada@example.org"
    assert client.v1.checkout.sessions.retrieve(session.id).customer == customer.id
    assert sandbox.intent_of(session).customer == customer.id


def test_the_dashboard_shows_payments_events_and_bodies(sandbox):
    session = sandbox.session()
    sandbox.pay(session)
    intent = sandbox.intent_of(session)
    home = sandbox.get("/").text
    assert f"/objects/{intent.id}" in home
    assert "checkout.session.completed" in home
    assert "&quot;amount&quot;: 2000" in sandbox.get(f"/objects/{intent.id}").text
    method = sandbox.get(f"/objects/{intent.payment_method}").text
    assert "4242" in method
    assert "4242424242424242" not in method
    assert sandbox.get(f"/receipts/{intent.latest_charge}").status_code == 200
    assert sandbox.get("/objects/nothing").status_code == 404
