"""The database keeps the rules of plans and subscriptions."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.tests.factories import UserFactory
from subscriptions.models import PlanPrice, Subscription
from subscriptions.tests.factories import make_period, make_plan, make_price, make_subscription

pytestmark = pytest.mark.django_db


def refused(constraint, act, *args, **fields):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        act(*args, **fields)


def test_a_person_has_one_subscription_that_has_not_ended():
    user = UserFactory()
    make_subscription(user=user, status="ended", ended_at=timezone.now(), end_reason="cancelled")
    make_subscription(user=user)
    refused("subscription_one_live_per_user", make_subscription, user=user, status="starting")


def test_the_amount_of_a_price_never_changes_but_it_can_be_archived():
    price = make_price()
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        PlanPrice.objects.filter(pk=price.pk).update(amount_minor=1)
    PlanPrice.objects.filter(pk=price.pk).update(is_active=False, stripe_price_id="price_1")


def test_a_plan_has_one_active_price_for_an_interval_and_currency():
    plan = make_plan()
    make_price(plan, is_active=False)
    make_price(plan)
    make_price(plan, interval="year")
    make_price(plan, currency="EUR")
    refused("plan_price_one_active", make_price, plan)


@pytest.mark.parametrize(
    ("count", "value", "constraint"),
    [(4, 726, "plan_price_covers"), (4, 0, "plan_price_values"), (0, 5, "plan_price_values")],
)
def test_credits_are_worth_no_more_than_their_price(count, value, constraint):
    make_price(credits=4, credit_value_minor=725)
    refused(constraint, make_price, credits=count, credit_value_minor=value)


def test_an_invoice_pays_for_one_period():
    period = make_period()
    refused("stripe_invoice_id", make_period, stripe_invoice_id=period.stripe_invoice_id)


@pytest.mark.parametrize(
    ("fields", "gives_access"),
    [
        ({"status": "active"}, True),
        ({"status": "trialing"}, True),
        (
            {
                "status": "past_due",
                "past_due_since": timezone.now(),
                "grace_until": timezone.now() + timedelta(hours=1),
            },
            True,
        ),
        (
            {
                "status": "past_due",
                "past_due_since": timezone.now(),
                "grace_until": timezone.now() - timedelta(hours=1),
            },
            False,
        ),
        ({"status": "starting"}, False),
        ({"status": "ended", "ended_at": timezone.now()}, False),
    ],
)
def test_a_plan_may_be_used_while_it_is_paid_or_can_still_be(fields, gives_access):
    subscription = make_subscription(**fields)
    now = timezone.now()
    assert subscription.gives_access(now) == gives_access
    assert Subscription.objects.giving_access(now).filter(pk=subscription.pk).exists() == gives_access
