"""What programs send and get about plans and subscriptions. Amounts are decimal texts in the currency's major unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from payments.api.checkout_serializers import ReturnAddressField
from subscriptions.models import Plan, PlanPrice, Subscription

STATES = ["starting", "trialing", "active", "past_due", "ended"]


class PlanPriceAnswer(serializers.Serializer[Any]):
    """A price of a plan."""

    id = serializers.IntegerField()
    interval = serializers.ChoiceField(choices=PlanPrice.Interval.choices)
    currency = serializers.CharField(help_text="ISO 4217 code.")
    amount = serializers.CharField()
    credits = serializers.IntegerField(help_text="Lesson credits for each paid period.")


class PlanAnswer(serializers.Serializer[Any]):
    """A plan on sale."""

    slug = serializers.CharField()
    name = serializers.CharField()
    summary = serializers.CharField()
    grants_courses = serializers.BooleanField()
    trial_days = serializers.IntegerField()
    prices = PlanPriceAnswer(many=True)


class PlansAnswer(serializers.Serializer[Any]):
    """All plans on sale."""

    results = PlanAnswer(many=True)


class SubscriptionSent(serializers.Serializer[Any]):
    """Which price to subscribe to."""

    price = serializers.IntegerField(min_value=1, max_value=2**31 - 1, help_text="`id` of a plan's price.")
    success_url = ReturnAddressField(
        help_text="Where the student goes after subscribing; `{CHECKOUT_SESSION_ID}` in it is replaced."
    )
    cancel_url = ReturnAddressField(help_text="Where the student goes after turning back.")


class SubscriptionAnswer(serializers.Serializer[Any]):
    """A subscription of the caller's own."""

    status = serializers.ChoiceField(choices=STATES)
    plan = serializers.CharField(help_text="`slug` of the plan.")
    price = PlanPriceAnswer()
    next_price = PlanPriceAnswer(allow_null=True, help_text="The price from the next period; null if it stays.")
    current_period_end = serializers.DateTimeField(allow_null=True)
    cancel_at_period_end = serializers.BooleanField()
    grace_until = serializers.DateTimeField(
        allow_null=True, help_text="Until when a failed renewal can be paid; null if nothing is late."
    )
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    url = serializers.URLField(help_text="The page on which it is managed.")


class SubscriptionsAnswer(serializers.Serializer[Any]):
    """The caller's subscriptions, the newest first."""

    results = SubscriptionAnswer(many=True)


class SubscriptionBegun(serializers.Serializer[Any]):
    """A page at Stripe on which the student subscribes."""

    sessionId = serializers.CharField()  # noqa: N815  # as Stripe.js
    url = serializers.URLField(help_text="Send the student there.")
    status = serializers.ChoiceField(choices=STATES)


def describe_price(price: PlanPrice) -> Mapping[str, Any]:
    return {
        "id": price.pk,
        "interval": price.interval,
        "currency": price.currency,
        "amount": price.amount.to_major(),
        "credits": price.credits,
    }


def describe_plan(plan: Plan) -> Mapping[str, Any]:
    """A plan with its prices prefetched."""
    fields = ("slug", "name", "summary", "grants_courses", "trial_days")
    prices = [describe_price(price) for price in plan.prices.all() if price.is_active]
    return {**{name: getattr(plan, name) for name in fields}, "prices": prices}


def describe_subscription(row: Subscription) -> Mapping[str, Any]:
    """A subscription; select its prices and their plans with it."""
    fields = ("status", "cancel_at_period_end", "grace_until", "started_at", "ended_at")
    return {
        **{name: getattr(row, name) for name in fields},
        "plan": row.plan.slug,
        "price": describe_price(row.price),
        "next_price": describe_price(row.next_price) if row.next_price else None,
        "current_period_end": row.period_ends_at,
        "url": f"{settings.BASE_URL}{reverse('subscriptions:mine')}",
    }
