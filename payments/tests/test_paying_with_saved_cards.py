"""A saved card is charged once from the cart: whatever is repeated, lost, closed or asked by the bank."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import UserFactory
from jobs.runner import drain
from money import Money
from notifications.models import Mail
from payments import sessions
from payments.checkout import SavedCard, start_checkout
from payments.models import Cart, Order, Payment, WebhookEvent
from payments.pricing import price_cart
from payments.saved_cards import gateway
from payments.saved_cards.charging import close_intent
from payments.tests.card_factories import ASKS, DECLINES, VISA, answer_bank, change, charges_of, save_card
from payments.tests.factories import cart_with, client_of, evidence_for, sample_offer
from payments.tests.races import at_once
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_checkout import press_pay, take_in_and_work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_invariants_hold")]


def ready(sandbox, card=VISA, *, places=10):
    """A cart of 25.00 of a student with a saved card."""
    method = save_card(sandbox, card=card)
    cart = cart_with(sample_offer(Money(2500, "GBP"), places=places), user=method.customer.user)
    return cart, client_of(cart.user), method


def press(client, cart, method, **changes):
    sent = {"agreed": price_cart(cart).digest, "method": method.stripe_payment_method_id, **changes}
    return client.post("/checkout/", sent)


def begin(user_id, agreed, method):
    user = User.objects.get(pk=user_id)
    way = SavedCard(method=method, return_url="http://localhost/checkout/return/")
    return start_checkout(user=user, cart=Cart.objects.get(user=user), agreed_digest=agreed, way=way)


def follow_up():
    Payment.objects.update(run_after="2000-01-01T00:00Z")
    drain(Payment, seconds=20)


def test_one_click_pays_delivers_and_empties_the_cart(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox)
    response = press(client, cart, method)
    order = Order.objects.get()
    assert (order.is_paid, response.url) == (True, order.get_absolute_url())
    assert charges_of(stripe_sandbox) == [2500]
    assert not cart.lines.exists()
    assert Mail.objects.filter(template="payments/mail/payment_confirmed").count() == 1
    intent = stripe_sandbox.get(f"payment_intents/{Payment.objects.get().stripe_payment_intent_id}")
    assert intent["metadata"]["order"] == order.number
    take_in_and_work()
    assert set(WebhookEvent.objects.filter(type="payment_intent.succeeded").values_list("outcome", flat=True)) == {
        "payment_already_processed"
    }


def test_the_second_of_two_clicks_leads_to_the_paid_order(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox)
    agreed = price_cart(cart).digest
    press(client, cart, method, agreed=agreed)
    assert press(client, cart, method, agreed=agreed).url == Order.objects.get().get_absolute_url()
    assert charges_of(stripe_sandbox) == [2500]


def test_somebody_elses_card_is_not_found_and_nothing_is_ordered(stripe_sandbox):
    _, _, method = ready(stripe_sandbox)
    other = cart_with(sample_offer())
    assert press(client_of(other.user), other, method).status_code == 404
    assert not Order.objects.exists()


def test_a_changed_price_must_be_agreed_to(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox)
    assert press(client, cart, method, agreed="0" * 64).url == "/cart/"
    assert charges_of(stripe_sandbox) == []


def test_a_declined_card_ends_the_order_and_keeps_the_cart_for_another(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox, DECLINES)
    response = client.get(press(client, cart, method).url)
    assert "Your card was declined. Nothing was charged" in response.content.decode()
    payment = Payment.objects.get()
    assert (payment.status, payment.order.state) == ("failed", "cancelled")
    assert SAMPLE.calls["release", payment.order.lines.get().reference] == 1
    assert stripe_sandbox.get(f"payment_intents/{payment.stripe_payment_intent_id}")["status"] == "canceled"
    assert not Mail.objects.filter(template="payments/mail/payment_failed").exists()

    press(client, cart, save_card(stripe_sandbox, cart.user))
    assert charges_of(stripe_sandbox) == [2500]
    assert list(Order.objects.order_by("pk").values_list("state", flat=True)) == ["cancelled", "completed"]
    take_in_and_work()


def test_the_bank_asks_and_the_order_is_paid_when_the_student_returns(stripe_sandbox, perform_looks):
    cart, client, method = ready(stripe_sandbox, ASKS)
    bank = press(client, cart, method).url
    assert bank == Payment.objects.get().session_url
    assert not Order.objects.get().is_paid
    back = answer_bank(bank)
    assert client.get(back).url == Order.objects.get().get_absolute_url()
    perform_looks()
    assert Order.objects.get().is_paid
    assert charges_of(stripe_sandbox) == [2500]


def test_a_failed_answer_to_the_bank_ends_the_order_with_a_mail_and_keeps_the_cart(stripe_sandbox, perform_looks):
    cart, client, method = ready(stripe_sandbox, ASKS)
    back = answer_bank(press(client, cart, method).url, "fail")
    page = client.get(back).url
    perform_looks()
    assert "Your bank could not confirm that it was you" in client.get(page).content.decode()
    assert (Order.objects.get().state, cart.lines.count()) == ("cancelled", 1)
    take_in_and_work()
    follow_up()
    assert Mail.objects.filter(template="payments/mail/payment_failed").count() == 1


def test_the_event_of_a_failed_answer_is_enough(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox, ASKS)
    answer_bank(press(client, cart, method).url, "fail")
    take_in_and_work()
    drain(Payment, seconds=10)
    assert Order.objects.get().state == "cancelled"


def test_the_event_of_a_success_is_enough(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox, ASKS)
    answer_bank(press(client, cart, method).url)
    take_in_and_work()
    assert Order.objects.get().is_paid


def test_somebody_elses_intent_on_the_return_page_is_not_found(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox, ASKS)
    back = answer_bank(press(client, cart, method).url)
    assert client_of(UserFactory()).get(back).status_code == 404


def test_an_unanswered_bank_page_is_closed_in_time_and_cannot_be_paid_later(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox, ASKS)
    bank = press(client, cart, method).url
    with time_machine.travel(Payment.objects.get().expires_at + timedelta(seconds=1)):
        follow_up()
    payment = Payment.objects.get()
    assert (payment.status, payment.order.state, payment.state) == ("expired", "cancelled", "done")
    assert SAMPLE.calls["release", payment.order.lines.get().reference] == 1
    answer_bank(bank)
    assert charges_of(stripe_sandbox) == []


@pytest.mark.parametrize("path", ["/v1/payment_intents", "/v1/payment_intents/*/confirm"])
def test_after_a_lost_answer_a_worker_repeats_the_call_and_the_card_is_charged_once(stripe_sandbox, path):
    cart, client, method = ready(stripe_sandbox)
    stripe_sandbox.fault("drop_reply", path=path, count=3)
    response = press(client, cart, method)
    order = Order.objects.get()
    assert response.url == order.get_absolute_url()
    assert "please do not pay again" in client.get(response.url).content.decode()
    follow_up()
    order.refresh_from_db()
    assert order.is_paid
    assert charges_of(stripe_sandbox) == [2500]


def test_a_declined_card_that_a_worker_learns_of_is_mailed(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox, DECLINES)
    stripe_sandbox.fault("drop_reply", path="/v1/payment_intents/*/confirm", count=3)
    press(client, cart, method)
    follow_up()
    assert Order.objects.get().state == "cancelled"
    assert Mail.objects.filter(template="payments/mail/payment_failed").count() == 1


def test_after_stripe_has_forgotten_the_key_the_intent_is_searched_for(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox)
    stripe_sandbox.fault("drop_reply", path="/v1/payment_intents", count=3)
    press(client, cart, method)
    later = timezone.now() + timedelta(days=2)
    Payment.objects.update(expires_at=later + timedelta(minutes=5))
    stripe_sandbox.switch("clock", advance=2 * 86_400)
    with time_machine.travel(later):
        follow_up()
    assert Order.objects.get().is_paid
    assert charges_of(stripe_sandbox) == [2500]
    assert len(stripe_sandbox.get("payment_intents")["data"]) == 1


def test_changing_the_cart_cancels_a_charge_whose_answer_was_lost_or_delivers_it(stripe_sandbox):
    """Whichever Stripe carried out: here nothing, since the intent was created but not confirmed."""
    cart, client, method = ready(stripe_sandbox)
    stripe_sandbox.fault("drop_reply", path="/v1/payment_intents", count=3)
    press(client, cart, method)
    client.post(f"/cart/lines/{cart.lines.get().pk}/", {"quantity": 2})
    follow_up()
    assert Order.objects.get().state == "cancelled"
    assert charges_of(stripe_sandbox) == []


def test_a_charge_that_was_made_before_it_could_be_closed_is_delivered(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox)
    stripe_sandbox.fault("drop_reply", path="/v1/payment_intents/*/confirm", count=3)
    press(client, cart, method)
    client.post(f"/cart/lines/{cart.lines.get().pk}/", {"quantity": 2})
    follow_up()
    assert Order.objects.get().is_paid
    assert charges_of(stripe_sandbox) == [2500]


def test_pressing_pay_for_stripes_page_closes_the_charge_that_waits_for_the_bank(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox, ASKS)
    bank = press(client, cart, method).url
    page = press_pay(client, cart).url
    assert "/c/pay/" in page
    answer_bank(bank)
    assert charges_of(stripe_sandbox) == []
    assert list(Order.objects.order_by("pk").values_list("state", flat=True)) == ["cancelled", "awaiting_payment"]


def test_pressing_pay_with_a_card_closes_stripes_page(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox)
    press_pay(client, cart)
    page = Payment.objects.get()
    press(client, cart, method)
    assert stripe_sandbox.get(f"checkout/sessions/{page.stripe_session_id}")["status"] == "expired"
    assert not stripe_sandbox.pay(page.stripe_session_id).ok
    assert charges_of(stripe_sandbox) == [2500]


def test_a_card_that_was_removed_a_moment_ago_says_so_and_keeps_the_cart(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox)
    change(stripe_sandbox, f"payment_methods/{method.stripe_payment_method_id}/detach")
    page = client.get(press(client, cart, method).url).content.decode()
    assert "This card can no longer be used here" in page
    assert (Order.objects.get().state, cart.lines.count()) == ("cancelled", 1)


def test_the_eleventh_attempt_within_a_minute_is_told_to_wait(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox, DECLINES)
    answers = [press(client, cart, method) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [302] * 10 + [429]
    assert int(answers[-1]["Retry-After"]) > 0


def test_the_student_cancels_while_the_bank_asks(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox, ASKS)
    bank = press(client, cart, method).url
    order = Order.objects.get()
    client.post(f"/my/orders/{order.number}/cancel/")
    answer_bank(bank)
    order.refresh_from_db()
    assert order.state == "cancelled"
    assert charges_of(stripe_sandbox) == []


def test_an_amount_that_differs_is_not_delivered(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox, ASKS)
    press(client, cart, method)
    payment = Payment.objects.get()
    evidence = evidence_for(payment, payment_intent_id=payment.stripe_payment_intent_id, total=Money(2400, "GBP"))
    from payments.evidence import PaymentDisagrees
    from payments.settlement import settle_payment

    with pytest.raises(PaymentDisagrees):
        settle_payment(evidence)
    other = evidence_for(payment, payment_intent_id="pi_another")
    with pytest.raises(PaymentDisagrees):
        settle_payment(other)
    assert not Order.objects.get().is_paid


@pytest.mark.django_db(transaction=True)
def test_twenty_clicks_at_once_on_cards_and_stripes_page_charge_once(stripe_sandbox):
    cart, _, first = ready(stripe_sandbox)
    second = save_card(stripe_sandbox, cart.user, "pm_card_mastercard")
    agreed = price_cart(cart).digest
    clicks = [lambda method=method: begin(cart.user_id, agreed, method) for method in (first, second)] * 8
    pages = [lambda: start_checkout(user=cart.user, cart=Cart.objects.get(pk=cart.pk), agreed_digest=agreed)] * 4
    at_once(*clicks, *pages)
    follow_up()
    take_in_and_work()
    follow_up()
    assert charges_of(stripe_sandbox) in ([], [2500])
    assert Order.objects.filter(state="completed").count() == len(charges_of(stripe_sandbox))
    # However the tabs closed each other's payments, the next click pays what is left to pay.
    if not charges_of(stripe_sandbox):
        begin(cart.user_id, agreed, first)
    assert charges_of(stripe_sandbox) == [2500]


@pytest.mark.django_db(transaction=True)
def test_twenty_clicks_at_once_with_one_card_charge_once_and_all_lead_to_the_order(stripe_sandbox):
    cart, _, method = ready(stripe_sandbox)
    agreed = price_cart(cart).digest
    clients = [client_of(cart.user) for _ in range(20)]
    answers = at_once(*[lambda client=client: press(client, cart, method, agreed=agreed) for client in clients])
    order = Order.objects.get()
    assert {answer.url for answer in answers} == {order.get_absolute_url()}
    assert charges_of(stripe_sandbox) == [2500]
    follow_up()
    order.refresh_from_db()
    assert order.is_paid


@pytest.mark.django_db(transaction=True)
def test_charging_and_closing_at_once_agree_on_one_outcome(stripe_sandbox):
    for _ in range(4):
        cart, _, method = ready(stripe_sandbox)
        before = len(charges_of(stripe_sandbox))
        confirm = gateway.confirm_intent
        agreed = price_cart(cart).digest

        def close(cart=cart):
            for _ in range(200):
                payment = Payment.objects.filter(order__cart=cart).first()
                if payment:
                    return close_intent(payment)
            return None

        at_once(lambda cart=cart, agreed=agreed, method=method: begin(cart.user_id, agreed, method), close)
        follow_up()
        assert gateway.confirm_intent is confirm
        order = Order.objects.get(cart=cart)
        assert order.is_paid == (len(charges_of(stripe_sandbox)) == before + 1)


def test_a_card_is_not_charged_for_a_place_that_is_gone(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox, places=1)
    agreed = price_cart(cart).digest
    SAMPLE.places[cart.lines.get().reference] = 0
    assert press(client, cart, method, agreed=agreed).url == "/cart/"
    assert charges_of(stripe_sandbox) == []
    assert not Order.objects.exists()


def test_the_payment_is_found_by_its_own_id_only(stripe_sandbox):
    cart, client, method = ready(stripe_sandbox, ASKS)
    press(client, cart, method)
    payment = Payment.objects.get()
    own = sessions.payment_of_session(payment.stripe_payment_intent_id, user_id=cart.user_id)
    assert own == payment
    assert sessions.payment_of_session(payment.stripe_payment_intent_id, user_id=UserFactory().pk) is None
