"""Saved cards over the API: listed, removed, made the default and charged, as on the pages."""

import uuid

import pytest

from accounts.tests.factories import UserFactory
from integrations.tests.factories import program_of
from money import Money
from payments.models import Order, Payment, PaymentMethod
from payments.pricing import price_cart
from payments.tests.card_factories import ASKS, DECLINES, answer_bank, change, charges_of, save_card
from payments.tests.factories import cart_with, client_of, sample_offer
from payments.tests.races import at_once
from payments.tests.test_api_purchases import is_as_documented, kind_of, send
from payments.tests.test_checkout import take_in_and_work
from payments.tests.test_paying_with_saved_cards import follow_up, press

pytestmark = pytest.mark.django_db
PROCESS = "/api/payments/process-payment"
LIST = "/api/payments/payment-methods"


def ready(sandbox, card="pm_card_visa"):
    method = save_card(sandbox, card=card)
    user = method.customer.user
    return cart_with(sample_offer(Money(2500, "GBP")), user=user), program_of(user), method


def pay(program, method, **body):
    return send(program, PROCESS, {"payment_method": method.stripe_payment_method_id, **body})


@pytest.mark.parametrize("address", [LIST, f"{LIST}/", "/payments/payment-methods", "/api/v1/payment-methods"])
def test_saved_cards_are_listed(stripe_sandbox, address):
    method = save_card(stripe_sandbox)
    program = program_of(method.customer.user)
    answer = program.get(address)
    (card,) = answer.json()["payment_methods"]
    assert (card["id"], card["label"]) == (method.stripe_payment_method_id, "Visa •••• 4242")
    assert (card["kind"], card["brand"], card["last_four"], card["can_pay_at_once"]) == ("card", "Visa", "4242", True)
    assert is_as_documented(program.get(LIST), LIST)


def test_without_any_the_list_is_empty():
    assert program_of(UserFactory()).get(LIST).json() == {"payment_methods": []}


@pytest.mark.parametrize("address", [PROCESS, f"{PROCESS}/", "/payments/process-payment", "/api/v1/payments"])
def test_the_cart_is_paid_with_a_saved_card(stripe_sandbox, address):
    _, program, method = ready(stripe_sandbox)
    answer = send(program, address, {"payment_method": method.stripe_payment_method_id})
    assert answer.status_code == 200, answer.json()
    assert is_as_documented(answer, PROCESS, "post")
    body, order = answer.json(), Order.objects.get()
    assert (body["status"], body["order"], body["amount"], body["sessionId"]) == (
        "succeeded",
        order.number,
        "25.00",
        None,
    )
    assert body["paymentIntentId"] == Payment.objects.get().stripe_payment_intent_id
    assert body["url"].endswith(order.get_absolute_url())
    assert order.is_paid
    state = program.get(f"/api/payments/verify-status/{body['paymentIntentId']}").json()
    assert (state["status"], state["order"]["number"]) == ("succeeded", order.number)


def test_the_same_key_is_charged_once_and_answered_alike(stripe_sandbox):
    _, program, method = ready(stripe_sandbox)
    key, body = uuid.uuid4().hex, {"payment_method": method.stripe_payment_method_id}
    answers = [send(program, PROCESS, body, key=key) for _ in range(3)]
    assert len({answer.content for answer in answers}) == 1
    assert charges_of(stripe_sandbox) == [2500]


def test_after_a_lost_answer_the_same_key_continues(stripe_sandbox):
    _, program, method = ready(stripe_sandbox)
    stripe_sandbox.fault("drop_reply", path="/v1/payment_intents/*/confirm", count=3)
    key, body = uuid.uuid4().hex, {"payment_method": method.stripe_payment_method_id}
    assert kind_of(send(program, PROCESS, body, key=key)) == (503, "payments-unavailable")
    assert send(program, PROCESS, body, key=key).json()["status"] == "succeeded"
    assert charges_of(stripe_sandbox) == [2500]


def test_a_key_whose_payment_was_cancelled_does_not_charge(stripe_sandbox):
    cart, program, method = ready(stripe_sandbox)
    stripe_sandbox.fault("drop_reply", path="/v1/payment_intents", count=3)
    key, body = uuid.uuid4().hex, {"payment_method": method.stripe_payment_method_id}
    send(program, PROCESS, body, key=key)
    client_of(cart.user).post(f"/my/orders/{Order.objects.get().number}/cancel/")
    assert kind_of(send(program, PROCESS, body, key=key)) == (409, "cart-changed")
    assert charges_of(stripe_sandbox) == []


def test_the_bank_asks_on_the_page_in_the_answer(stripe_sandbox):
    _, program, method = ready(stripe_sandbox, ASKS)
    answer = pay(program, method)
    assert (answer.status_code, answer.json()["status"]) == (200, "open")
    answer_bank(answer.json()["url"])
    take_in_and_work()
    assert Order.objects.get().is_paid


def test_a_declined_card_is_a_402_with_the_reason_and_the_failure_explained(stripe_sandbox):
    cart, program, method = ready(stripe_sandbox, DECLINES)
    answer = pay(program, method)
    assert kind_of(answer) == (402, "card-declined")
    assert answer.json()["detail"] == "Your card was declined."
    assert is_as_documented(answer, PROCESS, "post")
    assert cart.lines.count() == 1
    intent = Payment.objects.get().stripe_payment_intent_id
    failure = send(program, "/api/payments/handle-failure", {"session_id": intent}).json()
    assert (failure["message"], failure["next"]["action"]) == ("Your card was declined.", "check_out_again")


def test_somebody_elses_card_is_not_found(stripe_sandbox):
    _, _, method = ready(stripe_sandbox)
    stranger = program_of(cart_with(sample_offer()).user)
    assert pay(stranger, method).status_code == 404
    for verb, address in (("delete", ""), ("post", "/default")):
        path = f"/api/v1/payment-methods/{method.stripe_payment_method_id}{address}"
        assert send(stranger, path, method=verb).status_code == 404
    assert PaymentMethod.objects.get() == method
    assert charges_of(stripe_sandbox) == []


def test_a_changed_cart_is_not_charged(stripe_sandbox):
    _, program, method = ready(stripe_sandbox)
    assert kind_of(pay(program, method, agreed="0" * 64)) == (409, "cart-changed")


def test_an_account_that_cannot_be_charged_at_once_is_refused(stripe_sandbox):
    _, program, method = ready(stripe_sandbox)
    PaymentMethod.objects.update(kind="sepa_debit")
    assert kind_of(pay(program, method)) == (409, "card-unusable")


@pytest.mark.parametrize("body", [{}, {"payment_method": ""}, {"payment_method": "a b"}, {"payment_method": ["x"]}, []])
def test_what_names_no_card_is_invalid(body):
    answer = send(program_of(UserFactory()), PROCESS, body)
    assert answer.status_code == 400
    assert not Order.objects.exists()


def test_a_card_saved_a_moment_ago_can_be_charged(stripe_sandbox):
    _, program, method = ready(stripe_sandbox)
    PaymentMethod.objects.all().delete()
    method.customer.__class__.objects.update(methods_as_of=None)
    assert pay(program, method).json()["status"] == "succeeded"


def test_a_card_is_removed_and_made_the_default(stripe_sandbox):
    first = save_card(stripe_sandbox)
    user = first.customer.user
    second, program = save_card(stripe_sandbox, user, "pm_card_mastercard"), program_of(user)
    address = f"/api/v1/payment-methods/{second.stripe_payment_method_id}"
    chosen = send(program, f"{address}/default").json()["payment_methods"]
    assert [card["is_default"] for card in chosen] == [True, False]
    assert chosen[0]["id"] == second.stripe_payment_method_id
    left = send(program, address, method="delete").json()["payment_methods"]
    assert [card["id"] for card in left] == [first.stripe_payment_method_id]
    change(stripe_sandbox, f"payment_methods/{first.stripe_payment_method_id}/detach")


@pytest.mark.django_db(transaction=True)
def test_programs_and_pages_at_once_charge_once(stripe_sandbox):
    cart, program, method = ready(stripe_sandbox)
    agreed, page = price_cart(cart).digest, client_of(cart.user)
    body = {"payment_method": method.stripe_payment_method_id, "agreed": agreed}
    over_api = [lambda: send(program, PROCESS, body)] * 6
    on_pages = [lambda: press(client_of(cart.user), cart, method, agreed=agreed)] * 6
    at_once(*over_api, *on_pages)
    follow_up()
    assert charges_of(stripe_sandbox) == [2500]
    assert Order.objects.get().is_paid
    assert press(page, cart, method, agreed=agreed).url == Order.objects.get().get_absolute_url()
