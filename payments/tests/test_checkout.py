"""From the pay button to Stripe's page: one payable session per order, prices from the server, nothing lost."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from stripe import _http_client
from waffle.models import Switch

from accounts.models import User
from accounts.tests.factories import UserFactory
from jobs.runner import drain
from money import Money
from payments import checkout, gateway, middleware, sessions
from payments.models import CartLine, FetchedEvent, Order, OrderLine, Payment, Refund, WebhookEvent
from payments.pricing import price_cart
from payments.refunds.sending import send_refund
from payments.settlement import settle_payment
from payments.sweeps import take_in_missed_events
from payments.tests.factories import cart_with, evidence_for, open_order, sample_offer
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def press_pay(client, cart, **changes):
    return client.post("/checkout/", {"agreed": price_cart(cart).digest, **changes})


def take_in_and_work():
    take_in_missed_events()
    WebhookEvent.objects.filter(state="waiting").update(run_after="2000-01-01T00:00Z")
    drain(WebhookEvent, seconds=10)
    drain(FetchedEvent, seconds=10)


def test_paying_leads_to_stripes_page_with_order_and_domains_in_the_metadata(stripe_sandbox):
    cart = cart_with(sample_offer(Money(2500, "GBP")), sample_offer(Money(1250, "GBP")))
    response = press_pay(signed_in(cart.user), cart)
    assert response.status_code == 302
    payment = Payment.objects.get()
    assert response.url == payment.session_url
    session = stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}")
    expected = {
        "order": payment.order.number,
        "payment": str(payment.reference),
        "buyer": str(cart.user_id),
        "domain": "sample",
        "domains": "sample",
    }
    assert session["client_reference_id"] == str(payment.reference)
    assert session["metadata"] == expected
    assert (session["amount_total"], session["currency"]) == (3750, "gbp")
    assert session["customer_details"]["email"] == cart.user.email
    stripe_sandbox.pay(payment.stripe_session_id)
    paid = stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}")
    assert stripe_sandbox.get(f"payment_intents/{paid['payment_intent']}")["metadata"] == expected


def test_a_student_who_never_returns_is_delivered_from_stripes_events(stripe_sandbox):
    cart = cart_with(sample_offer())
    press_pay(signed_in(cart.user), cart)
    stripe_sandbox.pay(Payment.objects.get().stripe_session_id)
    take_in_and_work()
    assert Order.objects.get().is_paid


def test_events_of_four_days_without_webhooks_are_stored_once(stripe_sandbox):
    cart = cart_with(sample_offer())
    press_pay(signed_in(cart.user), cart)
    stripe_sandbox.pay(Payment.objects.get().stripe_session_id)
    stripe_sandbox.switch("clock", advance=4 * 86400)
    assert take_in_missed_events() > 0
    assert take_in_missed_events() == 0
    drain(WebhookEvent, seconds=10)
    assert Order.objects.get().is_paid
    assert set(WebhookEvent.objects.values_list("source", flat=True)) == {"backfill"}


@pytest.mark.parametrize(
    ("currency", "minor"), [("JPY", 1200), ("KWD", 12_340), ("GBP", 105), ("EUR", 99_999), ("HUF", 250_000)]
)
def test_amounts_are_exact_in_every_exponent(stripe_sandbox, currency, minor):
    cart = cart_with(sample_offer(Money(minor, currency)), quantity=2)
    press_pay(signed_in(cart.user), cart)
    payment = Payment.objects.get()
    stripe_sandbox.pay(payment.stripe_session_id)
    take_in_and_work()
    order = Order.objects.get()
    assert order.is_paid
    assert order.total == Money(2 * minor, currency)
    assert stripe_sandbox.get(f"payment_intents/{attempt_intent(payment)}")["amount_received"] == 2 * minor


def attempt_intent(payment):
    payment.refresh_from_db()
    return payment.stripe_payment_intent_id


@pytest.mark.django_db(transaction=True)
def test_fifty_clicks_at_once_open_one_session(stripe_sandbox, monkeypatch):
    cart = cart_with(sample_offer())
    clients = [signed_in(cart.user) for _ in range(50)]
    digest = price_cart(cart).digest
    together = Barrier(50)

    def price_slowly(cart):
        # As long as a quote may take: without a lock on the cart, none of the fifty would find an order yet.
        priced = price_cart(cart)
        time.sleep(0.02)
        return priced

    monkeypatch.setattr(checkout, "price_cart", price_slowly)

    def click(client):
        try:
            connections["default"].ensure_connection()
            together.wait(timeout=30)
            return client.post("/checkout/", {"agreed": digest}).headers.get("Location")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(50) as pool:
        locations = set(pool.map(click, clients))
    payment = Payment.objects.get()
    assert locations == {payment.session_url}
    assert len(stripe_sandbox.sessions_of(payment.reference)) == 1


def test_a_changed_cart_closes_the_old_session_before_it_opens_a_new_one(stripe_sandbox):
    first = sample_offer()
    cart = cart_with(first)
    client = signed_in(cart.user)
    press_pay(client, cart)
    old = Payment.objects.get()
    CartLine.objects.create(cart=cart, domain="sample", reference=sample_offer(), seen_unit_minor=2500)
    response = press_pay(client, cart)
    new = Payment.objects.exclude(pk=old.pk).get()
    old.refresh_from_db()
    assert response.url == new.session_url
    assert (old.status, old.order.state) == ("expired", "cancelled")
    assert stripe_sandbox.get(f"checkout/sessions/{old.stripe_session_id}")["status"] == "expired"
    assert SAMPLE.calls["release", first] == 1
    assert stripe_sandbox.pay(old.stripe_session_id).status_code == 400


def test_a_changed_cart_after_the_old_session_was_paid_shows_the_paid_order(stripe_sandbox):
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    press_pay(client, cart)
    old = Payment.objects.get()
    stripe_sandbox.pay(old.stripe_session_id)
    CartLine.objects.create(cart=cart, domain="sample", reference=sample_offer(), seen_unit_minor=2500)
    response = press_pay(client, cart)
    old.order.refresh_from_db()
    assert response.url == old.order.get_absolute_url()
    assert old.order.is_paid
    assert cart.lines.count() == 1


def test_a_reply_lost_after_stripe_created_the_session_leads_to_the_same_session(stripe_sandbox):
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    stripe_sandbox.fault("drop_reply", path="/v1/checkout/sessions", count=3)
    assert press_pay(client, cart).status_code == 503
    payment = Payment.objects.get()
    assert payment.status == "created"
    assert cart.lines.count() == 1
    (made,) = stripe_sandbox.sessions_of(payment.reference)
    assert press_pay(client, cart).url == made["url"]
    assert [session["id"] for session in stripe_sandbox.sessions_of(payment.reference)] == [made["id"]]
    assert Payment.objects.get().stripe_session_id == made["id"]


def test_a_session_whose_reply_was_lost_is_found_by_the_payments_follow_up(stripe_sandbox):
    cart = cart_with(sample_offer())
    stripe_sandbox.fault("drop_reply", path="/v1/checkout/sessions", count=3)
    press_pay(signed_in(cart.user), cart)
    Payment.objects.update(run_after=timezone.now())
    drain(Payment, seconds=5)
    payment = Payment.objects.get()
    assert (payment.status, payment.state) == ("open", "waiting")
    assert len(stripe_sandbox.sessions_of(payment.reference)) == 1


def test_after_a_day_the_key_is_forgotten_so_we_search_before_we_create(stripe_sandbox):
    cart = cart_with(sample_offer())
    stripe_sandbox.fault("drop_reply", path="/v1/checkout/sessions", count=3)
    press_pay(signed_in(cart.user), cart)
    stripe_sandbox.switch("clock", advance=25 * 3600)
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=25), run_after=timezone.now())
    drain(Payment, seconds=5)
    payment = Payment.objects.get()
    assert len(stripe_sandbox.sessions_of(payment.reference)) == 1
    assert payment.stripe_session_id == stripe_sandbox.sessions_of(payment.reference)[0]["id"]


def test_a_search_finds_the_session_even_if_stripes_clock_was_behind_ours(stripe_sandbox, monkeypatch):
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    stripe_sandbox.switch("clock", advance=-120)
    stripe_sandbox.fault("drop_reply", path="/v1/checkout/sessions", count=3)
    press_pay(client, cart)
    payment = Payment.objects.get()
    (made,) = stripe_sandbox.sessions_of(payment.reference)
    assert made["created"] < payment.created_at.timestamp() - 60
    monkeypatch.setattr(sessions, "_KEY_IS_REMEMBERED", timedelta(0))
    assert press_pay(client, cart).url == made["url"]


def test_after_a_day_a_session_that_was_never_created_is_no_longer_created(stripe_sandbox):
    """The hold expired long ago, so a page that can be paid now would sell a place that is not held."""
    reference = sample_offer()
    cart = cart_with(reference)
    client = signed_in(cart.user)
    stripe_sandbox.fault("server_error", path="/v1/checkout/sessions", count=3)
    press_pay(client, cart)
    stripe_sandbox.switch("clock", advance=25 * 3600)
    long_ago = timezone.now() - timedelta(hours=25)
    Payment.objects.update(created_at=long_ago, expires_at=long_ago + timedelta(minutes=31), run_after=timezone.now())
    drain(Payment, seconds=5)
    payment = Payment.objects.get()
    assert (payment.status, payment.state, payment.order.state) == ("expired", "done", Order.State.CANCELLED)
    assert stripe_sandbox.sessions_of(payment.reference) == []
    assert SAMPLE.calls["release", reference] == 1
    assert cart.lines.count() == 1


A_SESSION = {
    "mode": "payment",
    "line_items": [
        {
            "quantity": 1,
            "price_data": {"currency": "gbp", "unit_amount": 2500, "product_data": {"name": "Else"}},
        }
    ],
    "client_reference_id": "of another payment",
    "success_url": "http://127.0.0.1/",
}


def test_after_a_day_the_session_is_found_among_hundreds_made_since(stripe_sandbox):
    cart = cart_with(sample_offer())
    stripe_sandbox.fault("drop_reply", path="/v1/checkout/sessions", count=3)
    press_pay(signed_in(cart.user), cart)
    payment = Payment.objects.get()
    (made,) = stripe_sandbox.sessions_of(payment.reference)
    for number in range(105):
        gateway.create_session(A_SESSION, idempotency_key=f"else-{number}")
    stripe_sandbox.switch("clock", advance=24 * 3600)
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=24), run_after=timezone.now())
    drain(Payment, seconds=10)
    payment.refresh_from_db()
    assert payment.stripe_session_id == made["id"]


@pytest.mark.parametrize("kind", ["rate_limit", "server_error"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_brief_fault_at_stripe_is_not_noticed(stripe_sandbox, kind, count):
    cart = cart_with(sample_offer())
    stripe_sandbox.fault(kind, path="/v1/checkout/sessions", count=count)
    assert press_pay(signed_in(cart.user), cart).status_code == 302
    assert len(stripe_sandbox.sessions_of(Payment.objects.get().reference)) == 1


@pytest.mark.parametrize("kind", ["rate_limit", "server_error"])
def test_when_stripe_is_down_a_page_explains_it_and_the_cart_stays(stripe_sandbox, kind):
    cart = cart_with(sample_offer())
    stripe_sandbox.fault(kind, path="/v1/*", count=10)
    response = press_pay(signed_in(cart.user), cart)
    assert response.status_code == 503
    assert "your cart is as you left it" in response.content.decode()
    assert cart.lines.count() == 1


def test_when_stripe_does_not_answer_a_page_explains_it_and_the_next_click_opens_the_same_session(
    stripe_sandbox, monkeypatch
):
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    stripe_sandbox.fault("hang", path="/v1/checkout/sessions", seconds=1)
    with monkeypatch.context() as impatient:
        impatient.setattr(middleware, "SECONDS_FOR_STRIPE", 0.3)
        response = press_pay(client, cart)
    assert response.status_code == 503
    assert "your cart is as you left it" in response.content.decode()
    time.sleep(1)  # the call that hung completes in the meantime
    assert press_pay(client, cart).status_code == 302
    assert len(stripe_sandbox.sessions_of(Payment.objects.get().reference)) == 1


def test_calls_to_stripe_are_retried_after_varying_pauses(stripe_sandbox, monkeypatch):
    pauses = []
    monkeypatch.setattr(_http_client.time, "sleep", pauses.append)
    for _ in range(2):
        stripe_sandbox.fault("server_error", path="/v1/checkout/sessions", count=3)
        cart = cart_with(sample_offer())
        assert press_pay(signed_in(cart.user), cart).status_code == 503
    assert len(pauses) == 4
    assert pauses[1] != pauses[3]


def test_a_refusal_by_stripe_cancels_the_order_at_once(stripe_sandbox):
    reference = sample_offer()
    cart = cart_with(reference)
    # Our own rules refuse it too, so it can only be one that was stored before them.
    User.objects.filter(pk=cart.user_id).update(email="an address that stripe refuses")
    cart.user.refresh_from_db()
    response = press_pay(signed_in(cart.user), cart)
    assert response.status_code == 503
    assert Order.objects.get().state == Order.State.CANCELLED
    assert SAMPLE.calls["release", reference] == 1


def test_a_price_changed_meanwhile_is_shown_and_confirmed_before_paying(stripe_sandbox):
    reference = sample_offer(Money(2500, "GBP"))
    cart = cart_with(reference)
    client = signed_in(cart.user)
    digest_on_the_page = price_cart(cart).digest
    SAMPLE.offer(reference, prices=[Money(3000, "GBP")])
    assert client.post("/checkout/", {"agreed": digest_on_the_page}).url == "/cart/"
    assert not Order.objects.exists()
    page = client.get("/cart/").content.decode()
    assert "£25.00" in page
    assert "£30.00" in page
    assert press_pay(client, cart).status_code == 302
    assert Order.objects.get().total == Money(3000, "GBP")


@pytest.mark.parametrize("agreed", ["", "x", "0" * 64, "\x00", "💰" * 1000])
def test_a_made_up_agreement_changes_nothing(stripe_sandbox, agreed):
    cart = cart_with(sample_offer())
    assert press_pay(signed_in(cart.user), cart, agreed=agreed).url == "/cart/"
    assert not Order.objects.exists()


def test_posted_prices_and_currencies_are_ignored(stripe_sandbox):
    cart = cart_with(sample_offer(Money(2500, "GBP")))
    press_pay(signed_in(cart.user), cart, amount="1", price="1", currency="JPY", total_minor="1", user="1")
    assert Order.objects.get().total == Money(2500, "GBP")


def test_an_item_that_sold_out_meanwhile_is_shown_before_paying(stripe_sandbox):
    reference = sample_offer(places=1)
    cart = cart_with(reference)
    digest = price_cart(cart).digest
    client = signed_in(cart.user)
    SAMPLE.places[reference] = 0
    assert client.post("/checkout/", {"agreed": digest}).url == "/cart/"
    assert not Order.objects.exists()
    assert "sold out" in client.get("/cart/").content.decode()


def test_the_eleventh_attempt_within_a_minute_is_asked_to_wait(stripe_sandbox):
    user = UserFactory()
    for _ in range(10):
        payment = open_order(sample_offer(), user=user)
        settle_payment(evidence_for(payment))
    cart = cart_with(sample_offer(), user=user)
    response = press_pay(signed_in(user), cart)
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 60
    Payment.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    assert press_pay(signed_in(user), cart).status_code == 302


@pytest.mark.parametrize("switch", ["checkout-closed", "checkout-closed-sample"])
def test_a_closed_checkout_says_so_and_webhooks_are_still_processed(stripe_sandbox, switch):
    paid_before = open_order()
    Switch.objects.create(name=switch, active=True)
    cart = cart_with(sample_offer())
    response = press_pay(signed_in(cart.user), cart)
    assert response.status_code == 503
    assert "Payments are paused" in response.content.decode()
    assert cart.lines.count() == 1
    assert settle_payment(evidence_for(paid_before))[0].is_paid


def test_a_guest_is_asked_to_sign_in_and_comes_back_to_the_cart():
    response = Client().post("/checkout/", {"agreed": "x"})
    assert response.url == "/accounts/login/?next=/cart/"


def test_a_return_from_stripe_is_settled_if_no_webhook_came(stripe_sandbox, perform_looks):
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    press_pay(client, cart)
    payment = Payment.objects.get()
    stripe_sandbox.pay(payment.stripe_session_id)
    response = client.get(f"/checkout/return/?session_id={payment.stripe_session_id}", follow=True)
    assert "Waiting for your payment" in response.content.decode()
    assert perform_looks() == 1
    assert "Paid. Thank you!" in client.get(f"/my/orders/{payment.order.number}/status/").content.decode()
    take_in_and_work()
    assert SAMPLE.calls["fulfil", OrderLine.objects.get().reference] == 1


@pytest.mark.parametrize("session_id", ["", "cs_test_unknown", "\x00", "'; drop table", "x" * 5000])
def test_the_return_page_answers_404_for_foreign_and_invented_sessions(stripe_sandbox, session_id):
    payment = open_order()
    stranger = signed_in(UserFactory())
    assert stranger.get("/checkout/return/", {"session_id": payment.stripe_session_id}).status_code == 404
    assert stranger.get("/checkout/return/", {"session_id": session_id}).status_code == 404


def test_the_return_page_works_while_stripe_is_down(stripe_sandbox, perform_looks):
    payment = open_order()
    stripe_sandbox.fault("server_error", path="/v1/*", method="*", count=20)
    response = signed_in(payment.order.user).get(
        "/checkout/return/", {"session_id": payment.stripe_session_id}, follow=True
    )
    assert response.status_code == 200
    assert "Waiting for your payment" in response.content.decode()
    assert perform_looks() == 1


def test_an_expired_session_is_noticed_without_a_webhook_and_releases_the_places(stripe_sandbox):
    reference = sample_offer()
    cart = cart_with(reference)
    press_pay(signed_in(cart.user), cart)
    stripe_sandbox.switch("clock", advance=3600)
    Payment.objects.update(expires_at=timezone.now() - timedelta(minutes=1), run_after=timezone.now())
    drain(Payment, seconds=5)
    payment = Payment.objects.get()
    assert (payment.status, payment.state) == ("expired", "done")
    assert SAMPLE.calls["release", reference] == 1
    assert cart.lines.count() == 1


def test_a_cancelled_order_is_closed_at_stripe_and_keeps_the_cart(stripe_sandbox):
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    press_pay(client, cart)
    payment = Payment.objects.get()
    client.post(f"/my/orders/{payment.order.number}/cancel/")
    assert stripe_sandbox.get(f"checkout/sessions/{payment.stripe_session_id}")["status"] == "expired"
    assert cart.lines.count() == 1
    assert press_pay(client, cart).status_code == 302


def test_only_the_owner_can_see_cancel_or_download_an_order():
    payment = open_order()
    settle_payment(evidence_for(payment))
    number = payment.order.number
    stranger, owner = signed_in(UserFactory()), signed_in(payment.order.user)
    for path in ("", "status/", "receipt.pdf"):
        assert stranger.get(f"/my/orders/{number}/{path}").status_code == 404
        assert owner.get(f"/my/orders/{number}/{path}").status_code == 200
        assert Client().get(f"/my/orders/{number}/{path}").status_code == 302
    assert stranger.post(f"/my/orders/{number}/cancel/").status_code == 404
    assert owner.get(f"/my/orders/{number}/receipt.pdf").content.startswith(b"%PDF")


def test_an_undeliverable_line_is_refunded_at_stripe_once(stripe_sandbox):
    good, gone = sample_offer(Money(2500, "GBP")), sample_offer(Money(1500, "GBP"))
    cart = cart_with(good, gone)
    press_pay(signed_in(cart.user), cart)
    SAMPLE.undeliverable.add(gone)
    stripe_sandbox.pay(Payment.objects.get().stripe_session_id)
    take_in_and_work()
    stripe_sandbox.fault("drop_reply", path="/v1/refunds", count=3)
    drain(Refund, seconds=5)
    assert Refund.objects.get().status == "requested"
    Refund.objects.update(run_after=timezone.now())
    drain(Refund, seconds=5)
    take_in_and_work()
    refund = Refund.objects.get()
    assert refund.status == "succeeded"
    refunds = stripe_sandbox.get("refunds", payment_intent=attempt_intent(Payment.objects.get()))["data"]
    assert [made["amount"] for made in refunds] == [1500]
    send_refund(refund)
    assert len(stripe_sandbox.get("refunds", limit=100)["data"]) >= 1


def test_closing_a_session_whose_creation_was_interrupted_finds_and_closes_it(stripe_sandbox):
    cart = cart_with(sample_offer())
    stripe_sandbox.fault("drop_reply", path="/v1/checkout/sessions", count=3)
    press_pay(signed_in(cart.user), cart)
    payment = Payment.objects.get()
    sessions.close_session(payment.pk, reason="test")
    (session,) = stripe_sandbox.sessions_of(payment.reference)
    assert session["status"] == "expired"
    assert Order.objects.get().state == Order.State.CANCELLED


def test_no_call_to_stripe_happens_inside_a_transaction(stripe_sandbox, monkeypatch, django_db_blocker):
    real = gateway.create_session
    depths = []

    def watch(request, **arguments):
        depths.append(len(connections["default"].savepoint_ids))
        return real(request, **arguments)

    monkeypatch.setattr(gateway, "create_session", watch)
    cart = cart_with(sample_offer())
    press_pay(signed_in(cart.user), cart)
    assert depths == [0]  # the test's own transaction has no savepoint; atomic() would have made one
