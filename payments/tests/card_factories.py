"""Cards that students saved at Stripe, and the bank's page that asks about them."""

import requests

from accounts.tests.factories import UserFactory
from payments.customers import customer_of
from payments.models import Customer, PaymentMethod
from payments.saved_cards.refreshing import refresh_methods

VISA, ASKS, DECLINES = "pm_card_visa", "pm_card_authenticationRequired", "pm_card_chargeCustomerFail"


def save_card(sandbox, user=None, card=VISA):
    """A card that the user saved on Stripe's page for the next purchase."""
    customer = customer_of(user or UserFactory())
    method_id = attach(sandbox, customer.stripe_customer_id, card)
    change(sandbox, f"payment_methods/{method_id}", allow_redisplay="always")
    refresh_methods(customer)
    return PaymentMethod.objects.select_related("customer__user").get(stripe_payment_method_id=method_id)


def card_of(user):
    """A saved card as if Stripe had reported it, for tests without Stripe."""
    customer = Customer.objects.create(user=user, stripe_customer_id=f"cus_{user.pk}", sent_email=user.email)
    return PaymentMethod.objects.create(
        customer=customer,
        stripe_payment_method_id=f"pm_{user.pk}",
        kind="card",
        name="Visa",
        last_four="4242",
        expires_year=2040,
        expires_month=12,
        is_offered_again=True,
    )


def attach(sandbox, customer_id, card=VISA):
    return change(sandbox, f"payment_methods/{card}/attach", customer=customer_id)["id"]


def change(sandbox, path, **data):
    answer = sandbox.http.post(f"{sandbox.url}/v1/{path}", data=data, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def answer_bank(payment_url, outcome="pass"):
    """Answer on the bank's page; returns where it leads."""
    answer = requests.post(payment_url, data={"outcome": outcome}, allow_redirects=False, timeout=30)
    return answer.headers["Location"]


def charges_of(sandbox):
    """What Stripe took: the amounts of all payments that succeeded."""
    return [charge["amount"] for charge in sandbox.get("charges", limit=100)["data"] if charge["status"] == "succeeded"]
