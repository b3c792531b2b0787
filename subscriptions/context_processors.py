"""Values for every page: whether there are plans to link to, and which of them open courses."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from subscriptions.access import plans_with_courses
from subscriptions.models import Plan


def plans(_request: HttpRequest) -> dict[str, object]:
    """Asked of the database only by pages that show the menu."""
    return {"has_plans": SimpleLazyObject(lambda: Plan.objects.filter(is_on_sale=True).exists())}


def course_plans(_request: HttpRequest) -> dict[str, object]:
    """Read only by pages with a card that a plan opens, once for all cards."""
    return {"course_plans": SimpleLazyObject(lambda: list(plans_with_courses()))}
