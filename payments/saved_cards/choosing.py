"""What a student has saved, read from the copy here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from payments.models import Customer, PaymentMethod
from payments.saved_cards.refreshing import refresh_methods
from payments.stripe_api import StripeRefused, StripeUnreachable
from payments.tax.rates import BY_STRIPE

log = structlog.get_logger()

# A page or a program that asks again sooner gets the copy.
_FRESH_FOR = timedelta(seconds=10)


class MethodUnknown(Exception):
    """The student has saved no such method."""


class MethodUnusable(Exception):
    """The method cannot be charged at once. The message is for the student."""


def methods_of(user_id: int | None) -> QuerySet[PaymentMethod]:
    """All that a user has saved, the default first."""
    known = PaymentMethod.objects.filter(customer__user_id=user_id or 0, customer__erase_requested_at=None)
    return known.select_related("customer")


def cards_to_pay_with(user_id: int | None) -> Sequence[PaymentMethod]:
    """The cards that one click can pay with, the default first."""
    if settings.TAX_MODE == BY_STRIPE:
        return []  # the tax, and so the amount, is known only on Stripe's page
    return [method for method in methods_of(user_id) if method.can_pay_at_once]


def refresh_for(user_id: int | None) -> bool:
    """Read again what a user has saved; False if Stripe does not answer, so that the copy may be old."""
    known = Customer.objects.filter(user_id=user_id or 0, erase_requested_at=None).exclude(stripe_customer_id=None)
    customer = known.first()
    if customer is None or (customer.methods_as_of and timezone.now() - customer.methods_as_of < _FRESH_FOR):
        return True
    try:
        refresh_methods(customer)
    except (StripeUnreachable, StripeRefused) as problem:
        log.warning("saved_methods_not_refreshed", problem=repr(problem))
        return False
    return True


def method_of(user_id: int | None, method_id: str) -> PaymentMethod:
    """A method of the user's own, by Stripe's id, though it may have been saved a moment ago. Raises MethodUnknown."""
    own = methods_of(user_id).filter(stripe_payment_method_id=method_id)
    found = own.first()
    if found is None and method_id.startswith("pm_") and refresh_for(user_id):
        found = own.first()
    if found is None:
        raise MethodUnknown(method_id)
    return found


def card_to_charge(user_id: int | None, method_id: str) -> PaymentMethod:
    """A card of the user's own that can be charged at once. Raises MethodUnknown or MethodUnusable."""
    method = method_of(user_id, method_id)
    if method.kind != "card" or settings.TAX_MODE == BY_STRIPE:
        raise MethodUnusable(f"{method.label} can only be used on Stripe's page.")
    if method.has_expired:
        raise MethodUnusable(f"{method.label} has expired.")
    return method
