"""Plans and subscriptions as they are after Stripe reported them."""

import itertools
from datetime import timedelta

from django.utils import timezone

from accounts.tests.factories import UserFactory
from subscriptions.models import Plan, PlanPrice, Subscription, SubscriptionPeriod

_numbers = itertools.count(1)


def make_plan(**fields):
    number = next(_numbers)
    given = {"name": f"Plan {number}", "slug": f"plan-{number}", "summary": "All you need.", "is_on_sale": True}
    return Plan.objects.create(**{**given, **fields})


def make_price(plan=None, **fields):
    given = {"interval": "month", "currency": "GBP", "amount_minor": 2900, **fields}
    return PlanPrice.objects.create(plan=plan or make_plan(grants_courses=True), **given)


def make_subscription(price=None, user=None, **fields):
    """An active subscription in the middle of its month, unless changed."""
    number, now = next(_numbers), timezone.now()
    given = {
        "status": "active",
        "stripe_subscription_id": f"sub_{number}",
        "idempotency_key": f"subscription-{number}",
        "started_at": now - timedelta(days=15),
        "period_starts_at": now - timedelta(days=15),
        "period_ends_at": now + timedelta(days=15),
    }
    return Subscription.objects.create(price=price or make_price(), user=user or UserFactory(), **{**given, **fields})


def make_period(subscription=None, **fields):
    """The current period of a subscription, not yet paid through an order."""
    subscription = subscription or make_subscription()
    price = fields.pop("price", subscription.price)
    given = {
        "stripe_invoice_id": f"in_{next(_numbers)}",
        "kind": "start",
        "starts_at": subscription.period_starts_at,
        "ends_at": subscription.period_ends_at,
        "amount_minor": price.amount_minor,
        "currency": price.currency,
        "credits": price.credits,
        "credit_value_minor": price.credit_value_minor,
    }
    return SubscriptionPeriod.objects.create(subscription=subscription, price=price, **{**given, **fields})
