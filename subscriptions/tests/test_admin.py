"""Staff see what subscriptions bring in, how each went, and change no amount."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from payments.tests.factories import client_of
from subscriptions.admin.figures import churn, figures_by_currency
from subscriptions.models import PlanPrice, SubscriptionChange
from subscriptions.tests.factories import make_period, make_price, make_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return client_of(User.objects.create_superuser("boss@example.org", "correct horse battery"))


def test_revenue_counts_a_twelfth_of_a_year_and_no_trial():
    make_subscription(make_price(amount_minor=2900))
    make_subscription(make_price(amount_minor=12_000, interval="year"), cancel_at_period_end=True)
    make_subscription(make_price(amount_minor=5000), status="trialing")
    make_subscription(make_price(amount_minor=3000, currency="JPY"))
    pounds, yen = figures_by_currency()
    assert (str(pounds.monthly), pounds.active, pounds.trials, pounds.cancelling) == ("£39.00", 2, 1, 1)
    assert yen.monthly.minor == 3000


def test_churn_counts_those_that_ended_within_thirty_days():
    now = timezone.now()
    long_ago = {"started_at": now - timedelta(days=90)}
    make_subscription(**long_ago)
    make_subscription(**long_ago, status="ended", ended_at=now - timedelta(days=5))
    make_subscription(**long_ago, status="ended", ended_at=now - timedelta(days=50))
    make_subscription()
    assert (churn().before, churn().ended, churn().percent) == (2, 1, 50.0)


def test_pages_show_figures_history_and_payments(boss):
    row = make_subscription()
    make_period(row)
    SubscriptionChange.objects.create(subscription=row, kind="started", price=row.price, detail="in a trial")
    page = boss.get(reverse("admin:subscriptions_subscription_changelist")).content.decode()
    assert "£29.00" in page
    assert "Churn" in page
    page = boss.get(reverse("admin:subscriptions_subscription_change", args=[row.pk])).content.decode()
    assert "in a trial" in page
    assert row.stripe_subscription_id in page


def test_staff_archive_a_price_and_change_no_amount(boss):
    price = make_price(amount_minor=2900)
    address = reverse("admin:subscriptions_planprice_change", args=[price.pk])
    boss.post(address, {"amount_minor": 1, "credits": 9})
    price.refresh_from_db()
    assert (price.amount_minor, price.credits, price.is_active) == (2900, 0, False)
    assert PlanPrice.objects.count() == 1
