"""Which teachers suit a request to any teacher, and which requests a teacher may answer."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Teacher
from bookings.models import LessonRequest
from catalogue.models import Expertise


def teachers_for(request: LessonRequest) -> QuerySet[Teacher]:
    """Approved teachers of the subject and level who may teach where the student is, except the student themself.

    A teacher with no regions may teach anywhere; one with a country may teach in all its parts.
    """
    teaches = Expertise.objects.filter(
        teacher=OuterRef("pk"), subject_id=request.subject_id, levels__contains=[request.level]
    )
    places = {request.region, request.region.partition("-")[0]}
    return (
        Teacher.objects.filter(Exists(teaches), status=Teacher.Status.APPROVED)
        .filter(Q(regions=[]) | Q(regions__overlap=sorted(places)))
        .exclude(user_id=request.student_id)
    )


def open_requests_for(teacher: Teacher) -> QuerySet[LessonRequest]:
    """Open requests this teacher may answer: those addressed to them, and those to any teacher that suit them."""
    teaches = Expertise.objects.filter(
        teacher=teacher, subject_id=OuterRef("subject_id"), levels__contains=[OuterRef("level")]
    )
    to_any = Q(teacher=None) & Exists(teaches) & ~Q(student=teacher.user_id)
    if teacher.regions:
        to_any &= _in_regions(teacher.regions)
    passed_on = LessonRequest.passed_on_by.through.objects.filter(lessonrequest=OuterRef("pk"), teacher=teacher)
    return (
        LessonRequest.objects.filter(Q(teacher=teacher) | to_any, state=LessonRequest.State.OPEN)
        .exclude(Exists(passed_on))
        .select_related("student", "subject", "offer")
        .order_by("created_at", "pk")
    )


def _in_regions(regions: list[str]) -> Q:
    within = Q(region__in=regions)
    for region in regions:
        if "-" not in region:
            within |= Q(region__startswith=f"{region}-")
    return within
