"""Students who pay accept the terms that the cart links to, and the order records which version."""

import pytest
from django.test import Client

from accounts.tests.factories import UserFactory
from pages.kinds import PageKind
from pages.publishing import current_version, publish_version
from payments.checkout import CartChanged, start_checkout
from payments.models import Order
from payments.pricing import price_cart
from payments.tests.factories import cart_with, sample_offer

pytestmark = pytest.mark.django_db


def test_the_order_records_the_terms_that_were_shown_in_the_cart(stripe_sandbox):
    user = UserFactory()
    cart = cart_with(sample_offer(), user=user)
    client = Client()
    client.force_login(user)
    page = client.get("/cart/").content.decode()
    assert 'href="/terms/versions/1/"' in page
    start_checkout(user=user, cart=cart, agreed_digest=price_cart(cart).digest)
    order = Order.objects.get()
    assert order.terms == current_version(PageKind.TERMS)
    publish_version(kind=PageKind.TERMS, text="Other terms.", by=user)
    order.refresh_from_db()
    assert order.terms.number == 1


def test_new_terms_are_shown_before_they_are_accepted(stripe_sandbox):
    user = UserFactory()
    cart = cart_with(sample_offer(), user=user)
    seen = price_cart(cart).digest
    publish_version(kind=PageKind.TERMS, text="Other terms.", by=user)
    with pytest.raises(CartChanged):
        start_checkout(user=user, cart=cart, agreed_digest=seen)
    start_checkout(user=user, cart=cart, agreed_digest=price_cart(cart).digest)
    assert Order.objects.get().terms.text == "Other terms."
