"""Plans to subscribe to. Their prices reach Stripe when somebody first subscribes."""

from __future__ import annotations

from django.db import transaction

from demo.loading.files import read_toml
from subscriptions.models import Plan, PlanPrice


def load_plans() -> int:
    """Put the plans on sale; returns how many are new."""
    known = set(Plan.objects.values_list("slug", flat=True))
    missing = [facts for facts in read_toml("plans.toml")["plans"] if facts["slug"] not in known]
    for facts in missing:
        with transaction.atomic():
            prices = facts.pop("prices")
            plan = Plan.objects.create(is_on_sale=True, **facts)
            PlanPrice.objects.bulk_create(PlanPrice(plan=plan, **price) for price in prices)
    return len(missing)
