"""Plans to subscribe to. Their prices are created at Stripe with the first subscription."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from accounts.models import Teacher
from bookings.credits import agree_to_credits
from demo.loading.files import read_toml
from subscriptions.models import Plan, PlanPrice


def load_plans() -> int:
    """Put the plans on sale; returns how many are new."""
    known = set(Plan.objects.values_list("slug", flat=True))
    written = read_toml("plans.toml")
    missing = [facts for facts in written["plans"] if facts["slug"] not in known]
    for facts in missing:
        with transaction.atomic():
            prices = facts.pop("prices")
            plan = Plan.objects.create(is_on_sale=True, **facts)
            PlanPrice.objects.bulk_create(PlanPrice(plan=plan, **price) for price in prices)
    if missing:
        _take_credits(written["credit_teachers"])
    return len(missing)


def _take_credits(emails: Sequence[str]) -> None:
    """Have these teachers agree to lesson credits, of whatever value the plans give them."""
    least: dict[str, int] = {}
    for price in PlanPrice.objects.filter(credits__gt=0):
        least[price.currency] = min(price.credit_value_minor, least.get(price.currency, price.credit_value_minor))
    for teacher in Teacher.objects.filter(user__email__in=emails):
        agree_to_credits(teacher=teacher, longest_minutes=60, least_values=least)
