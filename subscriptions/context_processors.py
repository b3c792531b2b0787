"""Values for every page: whether there are plans to link to."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from subscriptions.models import Plan


def plans(_request: HttpRequest) -> dict[str, object]:
    """Asked of the database only by pages that show the menu."""
    return {"has_plans": SimpleLazyObject(lambda: Plan.objects.filter(is_on_sale=True).exists())}
