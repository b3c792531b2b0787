"""Saved cards: offered on Stripe's page, and seen, removed, added and made the default here."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client

from accounts.tests.factories import UserFactory
from jobs.runner import drain
from money import Money
from payments.customers import customer_of
from payments.models import Customer, Payment, PaymentMethod, WebhookEvent
from payments.pricing import price_cart
from payments.saved_cards.refreshing import refresh_methods
from payments.sweeps import take_in_missed_events
from payments.tests.card_factories import attach, change, save_card
from payments.tests.factories import cart_with, client_of, sample_offer
from payments.tests.test_checkout import press_pay, signed_in

pytestmark = pytest.mark.django_db


def take_in_and_read():
    take_in_missed_events()
    WebhookEvent.objects.filter(state="waiting").update(run_after="2000-01-01T00:00Z")
    drain(WebhookEvent, seconds=10)
    Customer.objects.filter(state="waiting").update(run_after="2000-01-01T00:00Z")
    drain(Customer, seconds=10)


def session_of(sandbox, payment):
    return sandbox.get(f"checkout/sessions/{payment.stripe_session_id}")


def test_stripes_page_is_for_the_students_customer_and_asks_whether_to_save_the_card(stripe_sandbox):
    cart = cart_with(sample_offer())
    press_pay(signed_in(cart.user), cart)
    session = session_of(stripe_sandbox, Payment.objects.get())
    assert session["customer"] == customer_of(cart.user).stripe_customer_id
    assert session["customer_details"]["email"] == cart.user.email
    assert session["saved_payment_method_options"]["payment_method_save"] == "enabled"


def test_after_a_lost_answer_the_page_is_asked_for_with_the_same_customer(stripe_sandbox):
    cart = cart_with(sample_offer())
    client = signed_in(cart.user)
    stripe_sandbox.fault("drop_reply", path="/v1/checkout/sessions", count=3)
    assert press_pay(client, cart).status_code == 503
    assert press_pay(client, cart).status_code == 302
    payment = Payment.objects.get()
    assert len(stripe_sandbox.sessions_of(payment.reference)) == 1
    assert payment.session_request["customer"] == customer_of(cart.user).stripe_customer_id


def test_a_student_whose_customer_was_deleted_at_stripe_pays_all_the_same(stripe_sandbox):
    cart = cart_with(sample_offer())
    gone = customer_of(cart.user).stripe_customer_id
    stripe_sandbox.http.delete(f"{stripe_sandbox.url}/v1/customers/{gone}")
    response = press_pay(signed_in(cart.user), cart)
    payment = Payment.objects.get(ended_at=None)
    assert response.url == payment.session_url
    assert session_of(stripe_sandbox, payment)["customer"] not in (None, gone)


def test_a_card_saved_at_stripe_is_known_here_once_its_event_is_processed(stripe_sandbox):
    user = UserFactory()
    method_id = attach(stripe_sandbox, customer_of(user).stripe_customer_id)
    take_in_and_read()
    method = PaymentMethod.objects.get()
    assert (method.stripe_payment_method_id, method.label) == (method_id, "Visa •••• 4242")
    change(stripe_sandbox, f"payment_methods/{method_id}/detach")
    take_in_and_read()
    assert not PaymentMethod.objects.exists()


def test_events_about_customers_of_another_product_change_nothing(stripe_sandbox):
    attach(stripe_sandbox, change(stripe_sandbox, "customers", email="b@example.org")["id"])
    take_in_and_read()
    assert not PaymentMethod.objects.exists()
    assert set(WebhookEvent.objects.values_list("outcome", flat=True)) == {"not ours"}


def test_an_older_answer_does_not_bring_a_removed_card_back(stripe_sandbox, monkeypatch):
    method = save_card(stripe_sandbox)
    customer = method.customer
    stale = customer.methods_as_of
    change(stripe_sandbox, f"payment_methods/{method.stripe_payment_method_id}/detach")
    refresh_methods(customer)
    from payments.saved_cards import refreshing

    known = [refreshing.gateway.StoredMethod(
        id=method.stripe_payment_method_id, kind="card", name="Visa", last_four="4242",
        expires_year=2040, expires_month=1, is_offered_again=True,
    )]  # fmt: skip
    refreshing._store(customer, known, default_id="", as_of=stale or datetime(2020, 1, 1, tzinfo=UTC))
    assert not PaymentMethod.objects.exists()


def test_the_page_shows_saved_cards_and_their_expiry(stripe_sandbox):
    method = save_card(stripe_sandbox)
    client = client_of(method.customer.user)
    page = client.get("/my/payment-methods/").content.decode()
    assert "Visa •••• 4242" in page
    assert "Expires soon" not in page
    with time_machine.travel(datetime(method.expires_year, method.expires_month, 1, tzinfo=UTC), tick=False):
        client.force_login(method.customer.user)
        assert "Expires soon" in client.get("/my/payment-methods/").content.decode()
    with time_machine.travel(datetime(method.expires_year + 1, method.expires_month, 1, tzinfo=UTC), tick=False):
        client.force_login(method.customer.user)
        assert "Expired" in client.get("/my/payment-methods/").content.decode()


def test_without_cards_the_page_says_so_and_calls_nobody_into_being_at_stripe(stripe_sandbox):
    page = client_of(UserFactory()).get("/my/payment-methods/").content.decode()
    assert "You have not saved a card yet" in page
    assert not Customer.objects.exists()


def test_while_stripe_is_silent_the_page_shows_what_is_known(stripe_sandbox):
    method = save_card(stripe_sandbox)
    Customer.objects.update(methods_as_of="2020-01-01T00:00Z")
    stripe_sandbox.fault("server_error", path="/v1/customers/*", method="GET", count=9)
    page = client_of(method.customer.user).get("/my/payment-methods/").content.decode()
    assert "may not be up to date" in page
    assert "Visa •••• 4242" in page


def test_a_card_is_removed_after_asking_and_a_repeat_is_not_found(stripe_sandbox):
    method = save_card(stripe_sandbox)
    client = client_of(method.customer.user)
    address = f"/my/payment-methods/{method.stripe_payment_method_id}/remove/"
    assert "Remove Visa •••• 4242?" in client.get(address).content.decode()
    assert PaymentMethod.objects.exists()
    assert client.post(address).status_code == 302
    assert not PaymentMethod.objects.exists()
    listed = stripe_sandbox.get(f"customers/{method.customer.stripe_customer_id}/payment_methods")
    assert listed["data"] == []
    assert client.post(address).status_code == 404


def test_a_card_that_is_gone_at_stripe_is_removed_here_too(stripe_sandbox):
    method = save_card(stripe_sandbox)
    change(stripe_sandbox, f"payment_methods/{method.stripe_payment_method_id}/detach")
    client_of(method.customer.user).post(f"/my/payment-methods/{method.stripe_payment_method_id}/remove/")
    assert not PaymentMethod.objects.exists()


def test_one_card_is_the_default(stripe_sandbox):
    first = save_card(stripe_sandbox)
    second = save_card(stripe_sandbox, first.customer.user, "pm_card_mastercard")
    client = client_of(first.customer.user)
    for method in (second, first):
        client.post(f"/my/payment-methods/{method.stripe_payment_method_id}/default/")
        assert list(PaymentMethod.objects.filter(is_default=True)) == [method]
    customer = stripe_sandbox.get(f"customers/{first.customer.stripe_customer_id}")
    assert customer["invoice_settings"]["default_payment_method"] == first.stripe_payment_method_id


@pytest.mark.parametrize("act", ["remove", "default"])
def test_somebody_elses_card_is_not_found(stripe_sandbox, act):
    method = save_card(stripe_sandbox)
    stranger = client_of(UserFactory())
    assert stranger.post(f"/my/payment-methods/{method.stripe_payment_method_id}/{act}/").status_code == 404
    assert PaymentMethod.objects.get() == method


def test_pages_of_saved_cards_need_a_sign_in():
    for address in ("", "pm_1/remove/"):
        assert Client().get(f"/my/payment-methods/{address}").status_code == 302


def test_a_card_is_added_on_stripes_page_without_paying_and_offered_again(stripe_sandbox):
    user = UserFactory()
    client = client_of(user)
    page = client.post("/my/payment-methods/add/").url
    session_id = page.rpartition("/")[2].partition("#")[0]
    stripe_sandbox.pay(session_id)
    assert client.get(f"/my/payment-methods/added/?session_id={session_id}").status_code == 302
    assert "Visa •••• 4242" in client.get("/my/payment-methods/").content.decode()
    assert PaymentMethod.objects.get().can_pay_at_once
    assert stripe_sandbox.get("charges")["data"] == []


def test_the_address_after_adding_a_card_without_a_page_changes_nothing():
    client = client_of(UserFactory())
    for wrong in ("", "?session_id=", "?session_id=x", "?session_id=cs_%00"):
        assert client.get(f"/my/payment-methods/added/{wrong}").url == "/my/payment-methods/"


def test_somebody_elses_page_of_adding_a_card_changes_nothing(stripe_sandbox):
    owner, stranger = client_of(UserFactory()), client_of(UserFactory())
    session_id = owner.post("/my/payment-methods/add/").url.rpartition("/")[2].partition("#")[0]
    stripe_sandbox.pay(session_id)
    stranger.get(f"/my/payment-methods/added/?session_id={session_id}")
    owner.get("/my/payment-methods/")
    assert not PaymentMethod.objects.get().is_offered_again


def test_the_cart_offers_saved_cards_without_asking_stripe(stripe_sandbox, django_assert_num_queries):
    method = save_card(stripe_sandbox)
    cart = cart_with(sample_offer(Money(2500, "GBP")), user=method.customer.user)
    client = client_of(cart.user)
    stripe_sandbox.fault("server_error", path="/v1/*", method="GET", count=9)
    page = client.get("/cart/").content.decode()
    assert "Pay £25.00 with Visa •••• 4242" in page
    assert "Pay another way" in page


def test_where_stripe_computes_the_tax_cards_are_used_on_its_page_only(stripe_sandbox, settings):
    method = save_card(stripe_sandbox)
    cart = cart_with(sample_offer(Money(2500, "GBP")), user=method.customer.user)
    settings.TAX_MODE = "stripe"
    client = client_of(cart.user)
    assert "with Visa" not in client.get("/cart/").content.decode()
    sent = {"agreed": price_cart(cart).digest, "method": method.stripe_payment_method_id}
    assert client.post("/checkout/", sent).url == "/cart/"
    assert not Payment.objects.exists()


def test_a_card_kept_for_a_subscription_only_is_not_offered_in_the_cart(stripe_sandbox):
    user = UserFactory()
    customer = customer_of(user)
    attach(stripe_sandbox, customer.stripe_customer_id)
    refresh_methods(customer)
    cart_with(sample_offer(), user=user)
    client = client_of(user)
    assert "Visa •••• 4242" not in client.get("/cart/").content.decode()
    assert "Visa •••• 4242" in client.get("/my/payment-methods/").content.decode()
