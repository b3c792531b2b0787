"""A teacher's public page."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.folding import by_name
from accounts.models import Teacher
from accounts.places_and_languages import languages, regions
from accounts.time_zones import zone_of_user
from catalogue.models import Listing

# More than visitors read; the page links to all offers of the teacher.
MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Offers:
    """One teacher's listings, grouped by how their time is set."""

    by_request: list[Listing]
    upcoming: list[Listing]
    anytime: list[Listing]


@require_safe
def show_teacher(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a teacher's profile and offers. 404 unless approved."""
    teacher = get_object_or_404(
        Teacher.objects.select_related("user").prefetch_related("expertises__subject"),
        slug=slug,
        status=Teacher.Status.APPROVED,
    )
    expertises = sorted(teacher.expertises.all(), key=lambda expertise: by_name(expertise.subject.name))
    context = {
        "teacher": teacher,
        "expertises": expertises,
        "main_subject": expertises[0].subject if len(expertises) == 1 else None,
        "languages": _names(teacher.languages, dict(languages())),
        "regions": _names(teacher.regions, dict(regions())),
        "offers": _offers_of(teacher),
        "now": timezone.now(),
        "teacher_zone": zone_of_user(teacher.user),
    }
    return render(request, "catalogue/teacher_show.html", context)


def _offers_of(teacher: Teacher) -> Offers:
    listings = list(teacher.listings.shown(timezone.now()).for_cards().order_by("starts_at", "title")[:MOST_SHOWN])
    return Offers(
        by_request=[listing for listing in listings if listing.is_by_request],
        upcoming=[listing for listing in listings if listing.starts_at and not listing.is_by_request],
        anytime=[listing for listing in listings if not listing.starts_at and not listing.is_by_request],
    )


def _names(codes: list[str], names: dict[str, str]) -> list[str]:
    """The names of codes: English for en, United States (CA) for US-CA."""
    found = []
    for code in codes:
        whole, _, part = code.partition("-")
        name = names.get(whole, whole)
        found.append(f"{name} ({part})" if part else name)
    return found
