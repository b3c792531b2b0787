"""Change a running subscription: its plan, whether it ends with its period, the card. Outside transactions.

Each function tells Stripe and then takes in what became of it; a lost answer is found by the events or the follow-up.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from payments.customers import customer_of
from payments.stripe_api import StripeRefused
from subscriptions import gateway
from subscriptions.models import PlanPrice, Subscription
from subscriptions.price_sync import sync_price
from subscriptions.recording import sync_subscription
from subscriptions.stripe_objects import ChangePreview

# What a preview shows is charged if it is confirmed within this time; then it is shown anew.
PREVIEW_HOLDS_SECONDS = 1800


class CannotChange(Exception):
    """The change is not possible now. The message is shown to the person."""


class PreviewOutdated(Exception):
    """What is charged now differs from what was shown, so it must be shown again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """A change of plan as it is shown before it is made. `preview` is None if nothing is charged now."""

    price: PlanPrice
    is_now: bool
    proration_at: int
    preview: ChangePreview | None


def prices_to_change_to(row: Subscription) -> list[PlanPrice]:
    """Prices on sale in the subscription's currency, except its own."""
    prices = PlanPrice.objects.filter(is_active=True, plan__is_on_sale=True, currency=row.price.currency)
    others = prices.exclude(pk__in=[row.price_id, row.next_price_id or 0])
    return list(others.select_related("plan").order_by("amount_minor"))


def is_dearer(row: Subscription, price: PlanPrice) -> bool:
    """Whether a change to this price is made now; one to a cheaper price waits for the next period."""
    if price.interval != row.price.interval:
        return row.price.is_monthly
    return price.amount_minor > row.price.amount_minor


def refuse_change(row: Subscription, price: PlanPrice) -> None:
    """Raise CannotChange for what is never possible, with what the person can do instead."""
    if row.status == Subscription.Status.PAST_DUE:
        raise CannotChange("Please pay the open invoice first. Then you can change the plan.")
    if not row.is_live:
        raise CannotChange("This subscription has ended.")
    if row.cancel_at_period_end:
        raise CannotChange("Your subscription is cancelled. Resume it first; then you can change the plan.")
    if price.currency != row.price.currency or not (price.is_active and price.plan.is_on_sale):
        raise CannotChange("This plan is not offered for your subscription.")
    if price.pk == row.price_id and row.next_price_id is None:
        raise CannotChange("This is your plan already.")
    if price.is_monthly and not row.price.is_monthly and row.status != Subscription.Status.TRIALING:
        raise CannotChange("Your year is paid. Cancel it for its end, and choose a monthly plan then.")


def plan_change(row: Subscription, price: PlanPrice, *, proration_at: int = 0) -> PlannedChange:
    """What the change would do and cost. Raises CannotChange, StripeUnreachable or StripeRefused."""
    refuse_change(row, price)
    sync_price(price)
    at = proration_at or int(time.time())
    if row.status == Subscription.Status.TRIALING or not is_dearer(row, price):
        is_now = row.status == Subscription.Status.TRIALING
        return PlannedChange(price=price, is_now=is_now, proration_at=at, preview=None)
    stripe_id = row.stripe_subscription_id or ""
    item_id = gateway.retrieve_subscription(stripe_id).item_id
    preview = gateway.preview_change(stripe_id, item_id=item_id, price_id=price.stripe_price_id or "", proration_at=at)
    if preview.total.minor < 0:
        raise CannotChange(
            "This change would leave a credit, which we do not keep. Please choose it for a later period."
        )
    return PlannedChange(price=price, is_now=True, proration_at=at, preview=preview)


def change_plan(row: Subscription, price: PlanPrice, *, proration_at: int, agreed_minor: int | None) -> None:
    """Make a change that was shown. `agreed_minor` is what the person agreed to pay now.

    Raises CannotChange (also with the bank's reason for refusing the charge), PreviewOutdated, StripeUnreachable.
    """
    if abs(time.time() - proration_at) > PREVIEW_HOLDS_SECONDS:
        raise PreviewOutdated
    planned = plan_change(row, price, proration_at=proration_at)
    shown = planned.preview.amount_due.minor if planned.preview else None
    if shown != agreed_minor:
        raise PreviewOutdated
    stripe_id = row.stripe_subscription_id or ""
    item_id = gateway.retrieve_subscription(stripe_id).item_id
    try:
        gateway.change_price(
            stripe_id,
            item_id=item_id,
            price_id=price.stripe_price_id or "",
            proration_at=proration_at if planned.preview else None,
            idempotency_key=f"lectern-{row.reference}-change-{price.pk}-{proration_at}",
        )
    except StripeRefused as refusal:
        if refusal.code not in _REFUSED_BY_BANK:
            raise
        raise CannotChange(
            f"{refusal} Nothing was changed. Try another card under “Manage card and invoices”."
        ) from refusal
    sync_subscription(stripe_id)


_REFUSED_BY_BANK = frozenset(
    ["card_declined", "expired_card", "incorrect_cvc", "processing_error", "insufficient_funds",
     "authentication_required", "subscription_payment_intent_requires_action"]
)  # fmt: skip


def cancel_subscription(row: Subscription) -> None:
    """Have it end with the period that is paid; at once if its renewal is not paid. A repeat changes nothing."""
    _refuse_ended(row)
    stripe_id = row.stripe_subscription_id or ""
    if row.status == Subscription.Status.PAST_DUE:
        gateway.set_cancellation(stripe_id, at_period_end=True, idempotency_key=_key(row, "cancel"))
        gateway.cancel_now(stripe_id)
    elif not row.cancel_at_period_end:
        gateway.set_cancellation(stripe_id, at_period_end=True, idempotency_key=_key(row, "cancel"))
    sync_subscription(stripe_id)


def resume_subscription(row: Subscription) -> None:
    """Withdraw a cancellation before the period has ended. A repeat changes nothing."""
    _refuse_ended(row)
    stripe_id = row.stripe_subscription_id or ""
    if row.cancel_at_period_end:
        gateway.set_cancellation(stripe_id, at_period_end=False, idempotency_key=_key(row, "resume"))
    sync_subscription(stripe_id)


def open_portal(row: Subscription) -> str:
    """The address of Stripe's page for cards and invoices."""
    customer_id = customer_of(row.user).stripe_customer_id or ""
    return gateway.open_portal(customer_id, return_url=f"{settings.BASE_URL}{reverse('subscriptions:mine')}")


def _refuse_ended(row: Subscription) -> None:
    if not row.is_live or (row.period_ends_at and row.cancel_at_period_end and row.period_ends_at < timezone.now()):
        raise CannotChange("This subscription has ended.")


def _key(row: Subscription, what: str) -> str:
    """One for each state of the record: cancelled, resumed and cancelled again are three requests."""
    return f"lectern-{row.reference}-{what}-{row.version}"
