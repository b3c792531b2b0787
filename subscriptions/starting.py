"""Subscribe: open Stripe's page, only once however often that is tried, and take in what became of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from payments.customers import customer_of, record_if_deleted
from payments.stripe_api import NoSuchObject, StripeMisconfigured, StripeRefused, StripeUnreachable
from payments.switches import refuse_when_closed
from subscriptions import DOMAIN, gateway
from subscriptions.models import FollowUp, PlanPrice, Subscription
from subscriptions.price_sync import sync_price
from subscriptions.recording import end_never_paid, sync_subscription
from subscriptions.timing import next_look

log = structlog.get_logger()

# Stripe refuses pages that expire within half an hour.
_PAGE_LASTS = timedelta(hours=1)
# A page that is about to expire is not shown again.
_STILL_USABLE = timedelta(minutes=5)
_TRIES = 3


class CannotSubscribe(Exception):
    """The person has a subscription already, or the price is not offered. The message is shown to them."""


@dataclass(frozen=True, slots=True)
class PageAddresses:
    """Where Stripe's page leads afterwards, and after turning back."""

    success: str
    cancel: str


def own_page_addresses() -> PageAddresses:
    """This site's own pages. Stripe puts the session's id in place of the braces."""
    returned = f"{settings.BASE_URL}{reverse('subscriptions:returned')}?session_id={{CHECKOUT_SESSION_ID}}"
    return PageAddresses(success=returned, cancel=f"{settings.BASE_URL}{reverse('subscriptions:plans')}")


def start_subscription(*, user: User, price: PlanPrice, addresses: PageAddresses | None = None) -> Subscription:
    """The person's subscription with its page open at Stripe, opened now unless it was before. Outside transactions.

    Raises CannotSubscribe, CheckoutClosed, StripeUnreachable (a repeat finds the same page), or StripeRefused.
    """
    refuse_when_closed([DOMAIN])
    if not (price.is_active and price.plan.is_on_sale):
        raise CannotSubscribe("This plan is no longer offered.")
    sync_price(price)
    customer_id = customer_of(user).stripe_customer_id or ""
    for _ in range(_TRIES):
        row = _unended(user)
        if row is None:
            row = _write(user, price, customer_id, addresses or own_page_addresses())
        elif row.status != Subscription.Status.STARTING:
            raise CannotSubscribe("You have a subscription already. You can change its plan.")
        elif not _is_same_page(row, price, addresses or own_page_addresses()):
            close_page(row)
            continue
        if row is not None:
            return _open(row, customer_id)
    raise StripeUnreachable("the page of an earlier click could not be closed yet")


def _unended(user: User) -> Subscription | None:
    return Subscription.objects.select_related("price__plan").filter(user=user, ended_at=None).first()


def _is_same_page(row: Subscription, price: PlanPrice, addresses: PageAddresses) -> bool:
    is_usable = row.session_expires_at is not None and row.session_expires_at - timezone.now() > _STILL_USABLE
    asked = (row.session_request.get("success_url"), row.session_request.get("cancel_url"))
    return is_usable and row.price_id == price.pk and asked == (addresses.success, addresses.cancel)


def _write(user: User, price: PlanPrice, customer_id: str, addresses: PageAddresses) -> Subscription | None:
    """A new subscription with its frozen request and its follow-up; None if another click was faster."""
    reference = uuid.uuid4()
    expires_at = timezone.now() + _PAGE_LASTS
    row = Subscription(
        user=user,
        price=price,
        reference=reference,
        idempotency_key=f"lectern-subscription-{reference}",
        session_expires_at=expires_at,
        session_request=_request(user, price, customer_id, reference, addresses)
        | {"expires_at": int(expires_at.timestamp())},
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            FollowUp.objects.create(subscription=row, run_after=next_look(row))
    except IntegrityError:
        if _unended(user) is None:
            raise
        return None
    return row


def _request(
    user: User, price: PlanPrice, customer_id: str, reference: uuid.UUID, addresses: PageAddresses
) -> dict[str, Any]:
    metadata = {"subscription": str(reference), "plan": price.plan.slug}
    data: dict[str, Any] = {"metadata": metadata | {"domain": DOMAIN, "buyer": str(user.pk)}}
    if trial_days := trial_days_for(user, price):
        data["trial_period_days"] = trial_days
    return {
        "mode": "subscription",
        "customer": customer_id,
        "client_reference_id": str(reference),
        "line_items": [{"price": price.stripe_price_id, "quantity": 1}],
        "metadata": metadata,
        "subscription_data": data,
        "success_url": addresses.success,
        "cancel_url": addresses.cancel,
    }


def trial_days_for(user: User | None, price: PlanPrice) -> int:
    """The free days that this person would get: those of the plan, once in their life."""
    if user is not None and Subscription.objects.filter(user=user, trial_ends_at__isnull=False).exists():
        return 0
    return price.plan.trial_days


def _open(row: Subscription, customer_id: str) -> Subscription:
    if row.stripe_session_id:
        return row
    try:
        page = gateway.create_page(row.session_request, idempotency_key=row.idempotency_key)
    except StripeMisconfigured:
        raise
    except StripeRefused as refusal:
        log.error("subscription_page_refused", subscription=row.pk, problem=str(refusal))  # noqa: TRY400
        end_never_paid(row.pk, at=timezone.now())
        if isinstance(refusal, NoSuchObject):
            record_if_deleted(customer_id, refusal)
        raise
    Subscription.objects.filter(pk=row.pk, stripe_session_id=None).update(
        stripe_session_id=page.id, session_url=page.url
    )
    row.refresh_from_db()
    return row


def close_page(row: Subscription) -> None:
    """Make sure that no one can subscribe on this page any more, and end what never began. Outside transactions.

    If the person subscribed there a moment ago, that is recorded instead. Raises StripeUnreachable or StripeRefused.
    """
    if not row.stripe_session_id:
        page = gateway.create_page(row.session_request, idempotency_key=row.idempotency_key)
        Subscription.objects.filter(pk=row.pk).update(stripe_session_id=page.id, session_url=page.url)
        row.stripe_session_id = page.id
    try:
        gateway.expire_page(row.stripe_session_id)
    except StripeMisconfigured:
        raise
    except StripeRefused:
        if take_in_page(row):
            return
    end_never_paid(row.pk, at=timezone.now())


def take_in_page(row: Subscription) -> bool:
    """Ask Stripe whether the person subscribed on the page, and record it; False if not. Outside transactions."""
    page = gateway.retrieve_page(row.stripe_session_id or "")
    if not page.subscription_id:
        return False
    sync_subscription(page.subscription_id)
    return True
