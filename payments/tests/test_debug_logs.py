"""Even at level DEBUG, a purchase at the real sandbox writes none of its personal data to the log."""

import json
from urllib.parse import quote, quote_plus

import pytest
import stripe
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from djstripe.models import Customer

from jobs.runner import drain
from payments import gateway
from payments.models import MirrorSync, WebhookEvent
from payments.sweeps import take_in_missed_events
from payments.tests.factories import cart_with, sample_offer
from payments.tests.test_checkout import press_pay, signed_in

pytestmark = pytest.mark.django_db
NAME, TOWN, ADDRESS = "Canaria Serinus", "Canaryville", "canaria+lessons@serinus.example"
FORBIDDEN = [
    NAME, quote(NAME), quote_plus(NAME), TOWN, ADDRESS, quote(ADDRESS), quote(quote(ADDRESS)), json.dumps(ADDRESS), "Canaria", "serinus",
    settings.STRIPE_SECRET_KEY,
]  # fmt: skip


def test_a_purchase_leaves_no_name_and_no_address_in_the_log(stripe_sandbox, written_lines):
    cart = cart_with(sample_offer())
    cart.user.email, cart.user.full_name = ADDRESS, NAME
    cart.user.save()
    with CaptureQueriesContext(connection):  # as DEBUG does: every statement with its values
        press_pay(signed_in(cart.user), cart)
        stripe_sandbox.pay(gateway._client().v1.checkout.sessions.list().data[0].id)
        take_in_missed_events()
        for model in (WebhookEvent, MirrorSync):
            model.objects.update(run_after="2000-01-01T00:00Z")
            drain(model, seconds=30)
    search_for_a_customer()
    assert WebhookEvent.objects.filter(state="done").exists()
    written = written_lines()
    assert {"stripe", "payments.settlement"} <= {line["logger"] for line in written}
    found = [line for line in written for word in FORBIDDEN if word in json.dumps(line, ensure_ascii=False)]
    assert not found


def search_for_a_customer():
    """An address in a path, a body and an answer, and in dj-stripe's copy."""
    customer = gateway._client().v1.customers.create({"email": ADDRESS, "name": NAME, "address": {"city": TOWN}})
    gateway._client().v1.customers.list({"email": ADDRESS})
    Customer.sync_from_stripe_data(customer, api_key=settings.STRIPE_SECRET_KEY)
    with pytest.raises(stripe.InvalidRequestError):
        gateway._client().v1.customers.retrieve(f"cus_{quote(ADDRESS)}")
