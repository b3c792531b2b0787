"""Copy what a customer has saved at Stripe: when an event says that it changed, and when the student looks at it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from jobs.wakeups import wake_after_commit
from payments.customers import record_if_deleted
from payments.models import Customer, PaymentMethod
from payments.saved_cards import gateway
from payments.saved_cards.stripe_objects import StoredMethod
from payments.stripe_api import NoSuchObject


def request_refresh(stripe_customer_id: str) -> bool:
    """Have a worker read again what a customer has saved; False if no student of ours is that customer."""
    known = Customer.objects.filter(stripe_customer_id=stripe_customer_id)
    # Each request ends the claim of a worker that reads at this moment, whose answer may be older.
    found = known.update(
        refresh_requested_at=Now(), state=Customer.State.WAITING, run_after=Now(), attempts=0, finished_at=None
    )
    wake_after_commit(Customer)
    return bool(found)


def refresh_if_requested(customer: Customer) -> None:
    """Read what the customer has saved, if that was requested since it was last read."""
    if customer.refresh_requested_at and customer.stripe_customer_id:
        refresh_methods(customer)


def refresh_methods(customer: Customer) -> None:
    """Read what the customer has saved, now. Outside transactions. Raises StripeUnreachable or StripeRefused."""
    customer_id, asked_at = customer.stripe_customer_id or "", timezone.now()
    try:
        methods, default_id = gateway.list_methods(customer_id)
    except NoSuchObject as refusal:
        if not record_if_deleted(customer_id, refusal):
            raise
        methods, default_id = [], ""
    _store(customer, methods, default_id=default_id, as_of=asked_at)


@transaction.atomic
def _store(customer: Customer, methods: list[StoredMethod], *, default_id: str, as_of: datetime) -> None:
    """Replace the copy, unless a later one was stored."""
    locked = Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer.pk)
    if locked.methods_as_of and locked.methods_as_of > as_of:
        return
    PaymentMethod.objects.filter(customer=locked).exclude(
        stripe_payment_method_id__in=[method.id for method in methods]
    ).delete()
    # Oldest first, so that the newest has the highest key.
    PaymentMethod.objects.bulk_create(
        [_row(locked, method, is_default=method.id == default_id) for method in reversed(methods)],
        update_conflicts=True,
        unique_fields=["stripe_payment_method_id"],
        update_fields=[
            "customer", "kind", "name", "last_four", "expires_year", "expires_month", "is_default", "is_offered_again",
        ],
    )  # fmt: skip
    Customer.objects.filter(pk=locked.pk).update(methods_as_of=as_of)
    # A request that came while Stripe was asked stays.
    Customer.objects.filter(pk=locked.pk, refresh_requested_at__lte=as_of).update(refresh_requested_at=None)


def _row(customer: Customer, method: StoredMethod, *, is_default: bool) -> PaymentMethod:
    return PaymentMethod(
        customer=customer,
        stripe_payment_method_id=method.id,
        kind=method.kind[:40],
        name=method.name,
        last_four=method.last_four,
        expires_year=method.expires_year,
        expires_month=method.expires_month,
        is_default=is_default,
        is_offered_again=method.is_offered_again,
    )
