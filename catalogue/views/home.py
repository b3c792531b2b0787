"""The front page."""

from __future__ import annotations

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.folding import by_name
from accounts.models import Teacher
from catalogue.models import Listing
from catalogue.suggestions import kinds_of, subjects_of

SHOWN = 6
MOST_SUBJECTS = 8
MOST_EXAMPLES = 3


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the kinds of offers, some upcoming and some new ones, subjects and teachers."""
    now = timezone.now()
    shown = Listing.objects.shown(now)
    is_shown = Q(listings__in=shown)
    teachers = (
        Teacher.objects.filter(status=Teacher.Status.APPROVED)
        .annotate(number=Count("listings", filter=is_shown))
        .order_by("-number", "display_name")[:SHOWN]
    )
    subjects = list(subjects_of(shown)[:MOST_SUBJECTS])
    context = {
        "kinds": kinds_of(shown),
        "upcoming": shown.filter(starts_at__isnull=False).for_cards().order_by("starts_at", "pk")[:SHOWN],
        "anytime": shown.filter(starts_at=None).for_cards().order_by("-published_at", "-pk")[:SHOWN],
        "subjects": subjects,
        # Only what is found.
        "examples": ", ".join(subject.name for subject in subjects[:MOST_EXAMPLES]),
        "teachers": sorted(teachers, key=lambda teacher: by_name(teacher.display_name)),
    }
    return render(request, "catalogue/home.html", context)
