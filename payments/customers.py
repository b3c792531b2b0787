"""Each student's customer at Stripe: created once, kept up to date, and deleted with the person's data."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from django.db.models import Q, Value
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from accounts.models import User
from jobs.wakeups import wake_after_commit
from payments import gateway
from payments.models import Customer
from payments.own_account import is_key_known_as_ours
from payments.stripe_api import KeyUsedDifferently, NoSuchObject, StripeRefused, StripeUnreachable, waiting_for_another

log = structlog.get_logger()

Answer = TypeVar("Answer")

# The caller that wrote the row gets this long to create the customer before a worker does it instead.
_TIME_FOR_THE_CALLER = timedelta(seconds=20)
_WAIT_FOR_OTHER_CALLER_SECONDS = 3.0
# Stripe forgets idempotency keys after 24 hours; from well before that we search first.
_KEY_IS_REMEMBERED = timedelta(hours=23)


class CustomerErased(Exception):
    """The person's data is being erased, so nothing more is done for them at Stripe."""


def customer_of(user: User) -> Customer:
    """The user's customer, created at Stripe now unless it was before. Call outside transactions.

    Parallel calls and repeats get the same customer. Raises StripeUnreachable if that remains unknown (a repeat or a
    worker finishes it), StripeRefused, or CustomerErased.
    """
    customer = _row_of(user)
    if customer.erase_requested_at:
        raise CustomerErased(str(customer.pk))
    if customer.stripe_customer_id:
        return customer
    return _create_once(customer)


def call_with_customer(user: User, call: Callable[[str], Answer]) -> Answer:
    """What `call` answers, given the id of the user's customer. Called again with another if Stripe deleted the first.

    If `call` sends an idempotency key, the customer's id must be part of it. Raises as customer_of, and what `call` does.
    """
    customer_id = customer_of(user).stripe_customer_id or ""
    try:
        return call(customer_id)
    except NoSuchObject as refusal:
        if not record_if_deleted(customer_id, refusal):
            raise
    return call(customer_of(user).stripe_customer_id or "")


def known_customer_id(user_id: int | None) -> str:
    """The id of the customer that Stripe has for a user; empty if there is none yet."""
    known = Customer.objects.filter(user_id=user_id or 0, erase_requested_at=None)
    return known.values_list("stripe_customer_id", flat=True).first() or ""


def record_if_deleted(customer_id: str, refusal: StripeRefused) -> bool:
    """Whether Stripe refused because the customer does not exist there any more. Then it is forgotten here.

    Its saved cards are gone with it, and `customer_of` creates another. Outside transactions. Raises StripeMisconfigured if
    the key is of another account, to which all customers of ours are unknown.
    """
    if not customer_id or not isinstance(refusal, NoSuchObject) or customer_id not in str(refusal):
        return False
    is_key_known_as_ours()
    for customer in Customer.objects.select_related("user").filter(stripe_customer_id=customer_id):
        log.warning("customer_deleted_at_stripe", customer=customer_id)
        Customer.objects.filter(pk=customer.pk, stripe_customer_id=customer_id).update(
            stripe_customer_id=None,
            reference=uuid.uuid4(),
            created_at=Now(),
            asked_at=None,
            sent_email=customer.user.email,
            sent_name=customer.user.full_name,
        )
        customer.methods.all().delete()
    return True


def erase_customer(user: User) -> None:
    """Have the user's customer deleted at Stripe, with all saved cards. Payments stay, there and here.

    Part of erasing a person's data; call it in that transaction. A repeat does nothing.
    """
    known = Customer.objects.filter(user=user)
    known.filter(erase_requested_at=None).update(erase_requested_at=Now())
    known.update(
        sent_email="", sent_name="", state=Customer.State.WAITING, run_after=Now(), attempts=0, finished_at=None
    )
    wake_after_commit(Customer)


def sync_customer(customer: Customer) -> None:
    """Bring Stripe up to date: create the customer, pass on name and address, or delete it. Repeats are harmless."""
    if customer.erase_requested_at:
        _delete(customer)
        return
    if not customer.stripe_customer_id:
        _create(customer)
    if (customer.user.email, customer.user.full_name) != (customer.sent_email, customer.sent_name):
        _pass_on(customer)


def _row_of(user: User) -> Customer:
    customer, _ = Customer.objects.get_or_create(
        user=user,
        defaults={
            "sent_email": user.email,
            "sent_name": user.full_name,
            "run_after": timezone.now() + _TIME_FOR_THE_CALLER,
        },
    )
    return customer


def _create_once(customer: Customer) -> Customer:
    """Create it, unless another caller is just doing that: then wait for its answer."""
    if not _is_first_to_ask(customer):
        with waiting_for_another(at_most=_WAIT_FOR_OTHER_CALLER_SECONDS) as stop_at:
            while time.monotonic() < stop_at and not _is_first_to_ask(customer):
                customer.refresh_from_db()
                if customer.stripe_customer_id:
                    return customer
                time.sleep(0.1)
    return _create(customer)


def _is_first_to_ask(customer: Customer) -> bool:
    """Whether no other caller waits for Stripe's answer; one that was killed counts only for a while."""
    is_free = Q(asked_at=None) | Q(asked_at__lt=Now() - _TIME_FOR_THE_CALLER)
    unknown = Customer.objects.filter(is_free, pk=customer.pk, stripe_customer_id=None)
    return unknown.update(asked_at=Now()) == 1


def _create(customer: Customer) -> Customer:
    try:
        found = _find_or_create(customer)
    except (StripeUnreachable, StripeRefused):
        Customer.objects.filter(pk=customer.pk).update(asked_at=None)
        raise
    # Only for the reference that was sent: one deleted meanwhile must not come back.
    Customer.objects.filter(pk=customer.pk, reference=customer.reference).update(
        stripe_customer_id=Coalesce("stripe_customer_id", Value(found))
    )
    # Not the whole row: `run_after` proves that a worker's claim is the latest one.
    customer.refresh_from_db(fields=["stripe_customer_id"])
    return customer


def _find_or_create(customer: Customer) -> str:
    """The id of the customer with this reference, created before or now."""
    reference = str(customer.reference)
    if timezone.now() - customer.created_at > _KEY_IS_REMEMBERED:
        known = gateway.find_customer(email=customer.sent_email, reference=reference)
        if known:
            return known
    try:
        return gateway.create_customer(
            email=customer.sent_email,
            name=customer.sent_name,
            reference=reference,
            idempotency_key=f"lectern-customer-{reference}",
        )
    except KeyUsedDifferently:
        log.exception("customer_key_used_differently", customer=customer.pk)
        known = gateway.find_customer(email=customer.sent_email, reference=reference)
        if known:
            return known
        raise


def _pass_on(customer: Customer) -> None:
    user, customer_id = customer.user, customer.stripe_customer_id or ""
    try:
        gateway.update_customer(customer_id, email=user.email, name=user.full_name)
    except NoSuchObject as refusal:
        record_if_deleted(customer_id, refusal)
        return
    Customer.objects.filter(pk=customer.pk, stripe_customer_id=customer_id, erase_requested_at=None).update(
        sent_email=user.email, sent_name=user.full_name
    )


def _delete(customer: Customer) -> None:
    customer.methods.all().delete()
    if not customer.stripe_customer_id:
        return
    try:
        gateway.delete_customer(customer.stripe_customer_id)
    except NoSuchObject:
        is_key_known_as_ours()
    Customer.objects.filter(pk=customer.pk).update(stripe_customer_id=None)
