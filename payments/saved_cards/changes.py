"""Remove a saved method, make one the default, or add one on Stripe's page."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.urls import reverse

from accounts.models import User
from payments.customers import call_with_customer, known_customer_id
from payments.models import PaymentMethod
from payments.saved_cards import gateway
from payments.saved_cards.refreshing import refresh_methods
from payments.stripe_api import NoSuchObject, StripeRefused


def remove_method(method: PaymentMethod) -> None:
    """Remove a saved method at Stripe. One that is gone already is success. Outside transactions.

    Raises StripeUnreachable or StripeRefused.
    """
    try:
        gateway.detach_method(method.stripe_payment_method_id)
    except StripeRefused:
        refresh_methods(method.customer)
        if PaymentMethod.objects.filter(pk=method.pk).exists():
            raise
        return
    refresh_methods(method.customer)


def make_default(method: PaymentMethod) -> None:
    """Make a saved method the default. Outside transactions.

    Raises StripeUnreachable, StripeRefused, or PaymentMethod.DoesNotExist if it was removed meanwhile.
    """
    try:
        gateway.set_default_method(method.customer.stripe_customer_id or "", method.stripe_payment_method_id)
    except NoSuchObject as gone:
        refresh_methods(method.customer)
        raise PaymentMethod.DoesNotExist from gone
    refresh_methods(method.customer)


def start_adding(user: User) -> str:
    """The address of a page at Stripe on which the user saves a card without paying.

    Raises StripeUnreachable, StripeRefused or CustomerErased.
    """
    page = f"{settings.BASE_URL}{reverse('payments:methods')}"
    added = f"{settings.BASE_URL}{reverse('payments:method_added')}?session_id={{CHECKOUT_SESSION_ID}}"
    attempt = uuid.uuid4()
    return call_with_customer(
        user,
        lambda customer_id: gateway.create_setup_page(
            customer_id=customer_id,
            success_url=added,
            cancel_url=page,
            idempotency_key=f"lectern-setup-{attempt}-{customer_id}",
        ),
    )


def finish_adding(user: User, session_id: str) -> bool:
    """Let the card that was saved on a page be offered again; False if the page is another's, or not finished."""
    if not session_id.startswith("cs_") or not session_id.isprintable():
        return False
    customer_id, method_id = gateway.retrieve_setup_method(session_id)
    if not method_id or customer_id != known_customer_id(user.pk):
        return False
    gateway.offer_again(method_id)
    return True
