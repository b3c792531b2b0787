import pytest
import requests

from sandbox.tests.dashboard_browser import Browser, Page


@pytest.fixture
def browser(sandbox):
    return Browser(sandbox.url)


def paid(client, **changes):
    parameters = {
        "amount": 2000,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "payment_method_types": ["card"],
    }
    return client.v1.payment_intents.create(parameters | changes)


def buttons(browser, object_id):
    return browser.open(f"/objects/{object_id}").buttons


def test_a_payment_is_refunded_in_part_and_then_in_full(sandbox, client, browser):
    intent = paid(client)
    page = browser.press(f"/objects/{intent.id}", "Refund", amount="5.50", reason="duplicate")
    assert "Done: Refund." in page.text
    assert client.v1.charges.retrieve(intent.latest_charge).amount_refunded == 550
    refund = client.v1.refunds.list({"payment_intent": intent.id}).data[0]
    assert (refund.amount, refund.reason) == (550, "duplicate")
    event = client.v1.events.list({"type": "refund.created"}).data[0]
    assert event["request"]["id"].startswith("req_")
    browser.press(f"/objects/{intent.id}", "Refund")
    assert client.v1.charges.retrieve(intent.latest_charge).refunded is True
    assert "Refund" not in buttons(browser, intent.id)


@pytest.mark.parametrize("amount", ["20.01", "0", "-1", "abc", "", "1e30", "NaN", "5.555", "9" * 400])
def test_an_invalid_refund_amount_is_refused_on_the_page(client, browser, amount):
    intent = paid(client)
    page = browser.press(f"/objects/{intent.id}", "Refund", amount=amount)
    assert page.status == 400
    assert 'role="alert"' in page.text
    assert client.v1.refunds.list().data == []


def test_a_refund_in_yen_has_no_decimals(client, browser):
    intent = paid(client, currency="jpy", amount=500)
    assert browser.press(f"/objects/{intent.id}", "Refund", amount="1.5").status == 400
    browser.press(f"/objects/{intent.id}", "Refund", amount="200")
    assert client.v1.charges.retrieve(intent.latest_charge).amount_refunded == 200


@pytest.mark.parametrize(("button", "status"), [("Win", "won"), ("Lose", "lost")])
def test_a_dispute_is_opened_and_decided(sandbox, client, browser, button, status):
    intent = paid(client)
    sandbox.drain()
    assert browser.press(f"/objects/{intent.id}", "Open a dispute", reason="boredom").status == 400
    browser.press(f"/objects/{intent.id}", "Open a dispute", reason="product_not_received")
    dispute = client.v1.disputes.list().data[0]
    assert (dispute.reason, dispute.status) == ("product_not_received", "needs_response")
    assert "Open a dispute" not in buttons(browser, intent.id)
    browser.press(f"/objects/{intent.id}", button)
    assert client.v1.disputes.retrieve(dispute.id).status == status
    assert not {"Win", "Lose"} & set(buttons(browser, dispute.id))
    assert "charge.dispute.closed" in sandbox.event_types()


def test_a_payment_is_captured_in_part_or_cancelled(client, browser):
    held = paid(client, capture_method="manual")
    browser.press(f"/objects/{held.id}", "Capture", amount="15.00")
    assert client.v1.payment_intents.retrieve(held.id).amount_received == 1500
    assert not {"Capture", "Cancel the payment"} & set(buttons(browser, held.id))
    other = client.v1.payment_intents.create({"amount": 900, "currency": "gbp"})
    browser.press(f"/objects/{other.id}", "Cancel the payment")
    assert client.v1.payment_intents.retrieve(other.id).status == "canceled"


def test_a_session_links_to_its_page_and_can_be_expired(sandbox, client, browser):
    session = sandbox.session()
    assert session.url in browser.open(f"/objects/{session.id}").links
    browser.press(f"/objects/{session.id}", "Expire the session")
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert "Expire the session" not in buttons(browser, session.id)


def test_a_button_pressed_too_late_shows_an_error_and_changes_nothing(sandbox, client, browser):
    session = sandbox.session()
    path = f"/objects/{session.id}"
    form = browser.open(path).form("Expire the session")
    sandbox.pay(session)
    answer = Page(browser.http.post(sandbox.url + path, data=form.fields, timeout=10))
    assert answer.status == 400
    assert "no longer possible" in answer.text
    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_a_button_of_another_kind_or_object_is_a_404(client, browser):
    intent = paid(client)
    path = f"/objects/{intent.id}"
    fields = browser.open(path).form("Refund").fields
    for change in ({"button": "explode"}, {"object": "ch_none"}, {"object": intent.id}):
        assert browser.http.post(browser.url + path, data=fields | change, timeout=10).status_code == 404


def test_forms_from_other_sites_are_refused(client, browser):
    intent = paid(client)
    path = f"{browser.url}/objects/{intent.id}"
    fields = browser.open(f"/objects/{intent.id}").form("Refund").fields
    without_token = {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"}
    assert browser.http.post(path, data=without_token, timeout=10).status_code == 403
    assert requests.post(path, data=fields, timeout=10).status_code == 403
    foreign = {"Origin": "http://evil.example"}
    assert browser.http.post(path, data=fields, headers=foreign, timeout=10).status_code == 403
    for address in ("/dashboard/controls", "/dashboard/deliveries/send"):
        assert requests.post(browser.url + address, timeout=10).status_code == 403
    assert client.v1.refunds.list().data == []


def test_foreign_host_names_are_refused(sandbox, browser):
    for path in ("/", "/dashboard/payments", "/dashboard/controls"):
        answer = requests.get(browser.url + path, headers={"Host": "rebound.example"}, timeout=10)
        assert answer.status_code == 400
    assert requests.get(browser.url + "/", headers={"Host": f"localhost:{sandbox.port}"}, timeout=10).ok
    assert requests.get(browser.url + "/_sandbox/health", headers={"Host": "sandbox:1"}, timeout=10).ok


def test_an_accounts_onboarding_is_completed_and_restricted(client, browser):
    account = client.v1.accounts.create(
        {"type": "express", "country": "US", "capabilities": {"transfers": {"requested": True}}}
    )
    browser.press(f"/objects/{account.id}", "Complete onboarding")
    done = client.v1.accounts.retrieve(account.id)
    assert (done.details_submitted, done.payouts_enabled) == (True, True)
    browser.press(f"/objects/{account.id}", "Restrict")
    assert client.v1.accounts.retrieve(account.id).requirements.currently_due


def test_a_payout_arrives_fails_or_is_cancelled(sandbox, client, browser):
    account = client.v1.accounts.create(
        {"type": "express", "country": "US", "capabilities": {"transfers": {"requested": True}}}
    )
    browser.press(f"/objects/{account.id}", "Complete onboarding")
    paid(client, amount=90000, payment_method="pm_card_bypassPending")
    sandbox.advance(3)
    transfer = client.v1.transfers.create({"amount": 30000, "currency": "usd", "destination": account.id})
    theirs = {"stripe_account": account.id}
    sent = [client.v1.payouts.create({"amount": 1000, "currency": "usd"}, theirs).id for _ in range(3)]

    def status(number):
        return client.v1.payouts.retrieve(sent[number], options=theirs).status

    browser.press(f"/objects/{sent[0]}", "Mark as arrived")
    browser.press(f"/objects/{sent[1]}", "Cancel the payout")
    browser.press(f"/objects/{sent[2]}", "Mark as failed", reason="account_closed")
    assert [status(number) for number in range(3)] == ["paid", "canceled", "failed"]
    assert client.v1.payouts.retrieve(sent[2], options=theirs).failure_code == "account_closed"
    assert browser.press(f"/objects/{sent[0]}", "Mark as failed", reason="whim").status == 400
    assert "Mark as arrived" not in buttons(browser, sent[0])
    page = browser.open(f"/objects/{account.id}")
    assert {f"/objects/{one}" for one in (*sent, transfer.id)} <= set(page.links)
    assert "$290.00" in page.text
    browser.press(f"/objects/{transfer.id}", "Reverse", amount="100")
    assert client.v1.transfers.retrieve(transfer.id).amount_reversed == 10000


@pytest.fixture
def subscription(client):
    customer = client.v1.customers.create({"email": "a@example.org"})
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    product = client.v1.products.create({"name": "Membership"})
    price = client.v1.prices.create(
        {"product": product.id, "unit_amount": 900, "currency": "gbp", "recurring": {"interval": "month"}}
    )
    return client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "default_payment_method": card.id}
    )


def test_a_subscription_is_cancelled_at_period_end_resumed_and_cancelled_now(client, browser, subscription):
    path = f"/objects/{subscription.id}"
    assert f"/objects/{subscription.latest_invoice}" in browser.open(path).links
    browser.press(path, "Cancel at the end of the period")
    assert client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end is True
    browser.press(path, "Do not cancel")
    assert client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end is False
    browser.press(path, "Cancel now")
    assert client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    assert browser.open(path).buttons == ["Find"]


def test_an_invoice_is_finalized_paid_voided_and_written_off(client, browser, subscription):
    def draft():
        invoice = client.v1.invoices.create({"customer": subscription.customer, "auto_advance": False})
        client.v1.invoice_items.create(
            {"customer": subscription.customer, "invoice": invoice.id, "amount": 500, "currency": "gbp"}
        )
        return f"/objects/{invoice.id}", lambda: client.v1.invoices.retrieve(invoice.id).status

    for steps, expected in (
        (("Finalize", "Mark as paid"), "paid"),
        (("Finalize", "Void"), "void"),
        (("Finalize", "Mark as uncollectible"), "uncollectible"),
    ):
        path, status = draft()
        for step in steps:
            assert browser.press(path, step).status == 200
        assert status() == expected
    client.v1.customers.update(
        subscription.customer, {"invoice_settings": {"default_payment_method": subscription.default_payment_method}}
    )
    path, status = draft()
    browser.press(path, "Finalize")
    browser.press(path, "Pay")
    assert status() == "paid"


def test_a_promotion_code_is_deactivated_and_activated(client, browser):
    coupon = client.v1.coupons.create({"percent_off": 25, "duration": "once", "id": "a coupon/with ?odd&id"})
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "SUMMER"})
    for expected in (False, True):
        browser.press(f"/objects/{code.id}", "Activate or deactivate")
        assert client.v1.promotion_codes.retrieve(code.id).active is expected
    links = browser.open("/dashboard/coupons").links
    page = browser.open(next(link for link in links if "odd" in link))
    assert f"/objects/{code.id}" in page.links


def test_a_charged_back_payment_has_no_refund_button(sandbox, client, browser):
    intent = paid(client, payment_method="pm_card_createDispute")
    assert "Refund" in buttons(browser, intent.latest_charge)
    sandbox.advance(10)
    assert "Refund" not in buttons(browser, intent.latest_charge)
    browser.press(f"/objects/{client.v1.disputes.list().data[0].id}", "Win")
    assert "Refund" in buttons(browser, intent.latest_charge)


def test_a_payment_with_an_inquiry_has_a_refund_button(sandbox, client, browser):
    intent = paid(client, payment_method="pm_card_createDisputeInquiry")
    sandbox.advance(10)
    assert "Refund" in buttons(browser, intent.latest_charge)
