import pytest
import stripe

from sandbox.tests.pages import CARD, post_page, text_of

FIRST_PAYMENT = [
    "customer.created",
    "payment_method.attached",
    "customer.updated",
    "customer.subscription.created",
    "invoice.created",
    "invoice.finalized",
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "invoice.paid",
    "invoice.payment_succeeded",
    "checkout.session.completed",
]


@pytest.fixture
def monthly(client):
    product = client.v1.products.create({"name": "Studio & kiln"})
    return client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 2000, "recurring": {"interval": "month"}}
    )


def subscribing(sandbox, price, **changes):
    lines = changes.pop("line_items", [{"price": price.id, "quantity": 1}])
    return sandbox.client.v1.checkout.sessions.create(
        {"mode": "subscription", "line_items": lines, "success_url": "http://shop.example/done", **changes}
    )


def new_events(sandbox, count):
    return sandbox.event_types()[count:]


def test_a_new_customers_subscription_emits_events_in_the_documented_order(sandbox, client, monthly):
    session = subscribing(sandbox, monthly, subscription_data={"metadata": {"order": "7"}})
    assert (session.customer_creation, session.invoice_creation, session.amount_total) == (None, None, 2000)
    before = len(sandbox.event_types())
    assert sandbox.pay(session).status_code == 200
    emitted = new_events(sandbox, before)
    assert sorted(emitted) == sorted(FIRST_PAYMENT)
    assert emitted[:6] == FIRST_PAYMENT[:6]
    assert emitted[-3:] == FIRST_PAYMENT[-3:]
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "invoice", "customer"]})
    assert (paid.status, paid.payment_status, paid.payment_intent, paid.url) == ("complete", "paid", None, None)
    assert (paid.subscription.status, paid.subscription.metadata["order"]) == ("active", "7")
    assert (paid.invoice.status, paid.invoice.billing_reason) == ("paid", "subscription_create")
    assert paid.subscription.default_payment_method is not None
    assert paid.customer.invoice_settings.default_payment_method is None
    sandbox.advance(3)
    assert "invoice_payment.paid" in sandbox.event_types()


def test_an_existing_customer_is_not_created_again(sandbox, client, monthly):
    customer = client.v1.customers.create({"email": "ada@example.org"})
    session = subscribing(sandbox, monthly, customer=customer.id)
    before = len(sandbox.event_types())
    sandbox.pay(session)
    assert "customer.created" not in new_events(sandbox, before)
    assert client.v1.checkout.sessions.retrieve(session.id).customer == customer.id
    assert [s.id for s in client.v1.checkout.sessions.list({"customer": customer.id}).data] == [session.id]


def test_a_decline_leaves_the_session_open_and_the_retry_pays_the_same_subscription(sandbox, client, monthly):
    session = subscribing(sandbox, monthly)
    refused = sandbox.pay(session, "pm_card_visa_chargeDeclined")
    assert refused.status_code == 402
    again = client.v1.checkout.sessions.retrieve(session.id)
    assert (again.status, again.subscription) == ("open", None)
    assert sandbox.pay(session).status_code == 200
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert (done.payment_status, done.subscription.status) == ("paid", "active")
    assert len(client.v1.subscriptions.list({"status": "all"}).data) == 1
    assert sandbox.event_types()[-1] == "checkout.session.completed"


def test_three_d_secure_pays_the_first_invoice_after_the_bank(sandbox, client, monthly):
    session = subscribing(sandbox, monthly)
    answer = post_page(sandbox, session, cardNumber="4000002760003184")
    assert answer.headers["Location"].startswith("/3ds/pi_")
    passed = sandbox.post(answer.headers["Location"], outcome="pass")
    assert passed.headers["Location"] == "http://shop.example/done"
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert (done.status, done.subscription.status) == ("complete", "active")


def test_failing_three_d_secure_redirects_back_to_the_page(sandbox, client, monthly):
    session = subscribing(sandbox, monthly)
    answer = post_page(sandbox, session, cardNumber="4000002760003184")
    failed = sandbox.post(answer.headers["Location"], outcome="fail")
    assert failed.headers["Location"] == f"/c/pay/{session.id}?failed=1"
    assert "unable to authenticate" in sandbox.get(failed.headers["Location"]).text
    assert post_page(sandbox, session).headers["Location"] == "http://shop.example/done"


def test_expiring_an_attempted_session_expires_its_subscription(sandbox, client, monthly):
    session = subscribing(sandbox, monthly)
    sandbox.pay(session, "pm_card_visa_chargeDeclined")
    client.v1.checkout.sessions.expire(session.id)
    (subscription,) = client.v1.subscriptions.list({"status": "all"}).data
    assert subscription.status == "incomplete_expired"


def test_a_trial_sets_up_the_card_without_charging_it(sandbox, client, monthly):
    session = subscribing(sandbox, monthly, subscription_data={"trial_period_days": 14})
    assert session.amount_total == 0
    page = sandbox.get(f"/c/pay/{session.id}")
    assert "14 days free" in page.text
    assert "Start trial" in page.text
    answer = post_page(sandbox, session)
    assert answer.status_code == 303, answer.text
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription.default_payment_method"]})
    assert (done.status, done.payment_status, done.subscription.status) == (
        "complete",
        "no_payment_required",
        "trialing",
    )
    assert done.subscription.default_payment_method.customer == done.customer
    assert client.v1.charges.list().data == []
    assert sandbox.event_types()[-1] == "checkout.session.completed"
    assert "setup_intent.succeeded" in sandbox.event_types()


def test_a_trial_whose_card_needs_three_d_secure_starts_after_authentication(sandbox, client, monthly):
    session = subscribing(sandbox, monthly, subscription_data={"trial_period_days": 14})
    answer = post_page(sandbox, session, cardNumber="4000002500003155")
    assert answer.headers["Location"].startswith("/3ds/seti_")
    assert client.v1.subscriptions.list().data == []
    sandbox.post(answer.headers["Location"], outcome="pass")
    assert client.v1.subscriptions.list().data[0].status == "trialing"
    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_a_trial_with_an_optional_method_does_not_ask_for_one(sandbox, client, monthly):
    session = subscribing(
        sandbox, monthly, subscription_data={"trial_period_days": 7}, payment_method_collection="if_required"
    )
    assert "cardNumber" not in sandbox.get(f"/c/pay/{session.id}").text
    answer = sandbox.post(f"/c/pay/{session.id}", email="ada@example.org", billingCountry="GB")
    assert answer.status_code == 303
    assert client.v1.subscriptions.list().data[0].default_payment_method is None


def test_recurring_and_one_time_lines_are_billed_on_one_invoice(sandbox, client, monthly):
    once = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Clay"}}
    lines = [{"price": monthly.id, "quantity": 2}, {"price_data": once, "quantity": 1}]
    session = subscribing(sandbox, monthly, line_items=lines)
    assert session.amount_total == 4500
    sandbox.pay(session)
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["invoice", "subscription"]})
    assert (done.invoice.amount_paid, len(done.invoice.lines.data)) == (4500, 2)
    assert done.subscription["items"].data[0].quantity == 2


def test_a_discount_applies_to_the_subscription(sandbox, client, monthly):
    coupon = client.v1.coupons.create({"percent_off": 25, "duration": "repeating", "duration_in_months": 3})
    session = subscribing(sandbox, monthly, discounts=[{"coupon": coupon.id}])
    assert (session.amount_subtotal, session.amount_total) == (2000, 1500)
    sandbox.pay(session)
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription.discounts", "invoice"]})
    assert done.subscription.discounts[0].source.coupon == coupon.id
    assert done.invoice.amount_paid == 1500
    assert client.v1.coupons.retrieve(coupon.id).times_redeemed == 1


def test_a_bank_debit_completes_the_session_and_is_answered_later(sandbox, client):
    product = client.v1.products.create({"name": "Studio"})
    price = client.v1.prices.create(
        {"product": product.id, "currency": "eur", "unit_amount": 2000, "recurring": {"interval": "month"}}
    )
    session = subscribing(sandbox, price, payment_method_types=["sepa_debit"])
    answer = sandbox.post(
        f"/c/pay/{session.id}",
        email="ada@example.org",
        billingName="Ada",
        iban="AT611904300234573201",
        method="sepa_debit",
    )
    assert answer.status_code == 303, answer.text
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    sandbox.advance(3)
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert (done.payment_status, done.subscription.status) == ("paid", "active")
    assert "checkout.session.async_payment_succeeded" in sandbox.event_types()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"payment_intent_data": {"description": "x"}}, "can not pass `payment_intent_data` in `subscription` mode"),
        ({"customer_creation": "always"}, "`customer_creation` in `subscription` mode"),
        ({"line_items": []}, "line_items"),
        ({"subscription_data": {"trial_period_days": 0}}, "greater than or equal to 1"),
        ({"subscription_data": {"trial_end": 1_000_000_000}}, "at least 2 days"),
        ({"subscription_data": {"trial_end": 9_000_000_000}}, "at most two years"),
        ({"subscription_data": {"billing_cycle_anchor": 9_000_000_000}}, "does not act on"),
    ],
)
def test_invalid_parameters_for_subscriptions_are_refused(sandbox, monthly, changes, message):
    with pytest.raises(stripe.InvalidRequestError, match=message):
        subscribing(sandbox, monthly, **changes)


def test_a_subscription_needs_a_recurring_price(sandbox, client, monthly):
    once = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Clay"}}
    with pytest.raises(stripe.InvalidRequestError, match="at least one recurring price in `subscription` mode"):
        subscribing(sandbox, monthly, line_items=[{"price_data": once, "quantity": 1}])
    with pytest.raises(stripe.InvalidRequestError, match="passed a recurring price"):
        sandbox.session(line_items=[{"price": monthly.id, "quantity": 1}])


def test_the_page_shows_the_renewal_interval(sandbox, monthly):
    page = sandbox.get(f"/c/pay/{subscribing(sandbox, monthly).id}")
    assert "Renews every month" in page.text
    assert text_of(page, "total") == "$20.00"
    assert "Subscribe" in page.text
    assert CARD["cardNumber"] not in page.text.split("</form>")[0].replace('placeholder="4242 4242 4242 4242"', "")
