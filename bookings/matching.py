"""Which teachers suit a request to any teacher, and which requests are on a teacher's desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection
from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.utils import timezone

from accounts.models import Teacher
from bookings.models import Assignment, LessonRequest
from catalogue.models import Expertise, Subject

# What is decided about each teacher of a subject: the first that applies. The words are read by staff.
VERDICTS = {
    "student": "is the student",
    "inactive": "not approved, or the account is closed",
    "level": "teach other levels",
    "region": "may not teach where the student is",
    "paused": "paused",
    "days": "teach on other days",
    "asked": "were asked before",
    "suitable": "suitable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many teachers of a subject suit a request, and how many do not for which reason (keys of VERDICTS)."""

    subject_id: int
    counts: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        return cls(subject_id=stored["subject_id"], counts=stored["counts"])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A suitable teacher and how much work they have."""

    teacher_id: int
    load: int


def subjects_for(request: LessonRequest) -> list[Subject]:
    """Whose teachers are searched, one after the other: the requested subject, then the broader one."""
    broader = request.subject.broader
    return [request.subject, broader] if broader else [request.subject]


def judge_teachers(request: LessonRequest, subject: Subject) -> tuple[Tally, list[int]]:
    """Decide about everyone who teaches the subject: how many there are of each verdict, and the ids of the suitable."""
    whens = [When(condition, then=Value(verdict)) for verdict, condition in _reasons_against(request).items()]
    judged = Expertise.objects.filter(subject=subject).annotate(verdict=Case(*whens, default=Value("suitable")))
    suitable = ArrayAgg("teacher_id", filter=Q(verdict="suitable"), default=Value([]))
    rows = judged.order_by("verdict").values_list("verdict").annotate(number=Count("pk"), teachers=suitable)
    found = {verdict: (number, teachers) for verdict, number, teachers in rows}
    counts = {verdict: number for verdict, (number, _) in found.items()}
    return Tally(subject_id=subject.pk, counts=counts), found.get("suitable", (0, []))[1]


def least_loaded(teacher_ids: Sequence[int], *, at_most: int) -> list[Candidate]:
    """Those of the teachers with the least work, least first; those with equal work in random order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT teacher_id, total FROM bookings_load_of(%s::bigint[]) ORDER BY total, random() LIMIT %s",
            [list(teacher_ids), at_most],
        )
        return [Candidate(*row) for row in cursor.fetchall()]


def asked_teachers(request: LessonRequest) -> list[int]:
    """Teachers who were asked about this request and must not be asked again; not those staff moved it away from."""
    asked = Assignment.objects.filter(request=request, teacher__isnull=False).exclude(outcome=Assignment.Outcome.MOVED)
    return list(asked.values_list("teacher_id", flat=True))


def requests_on_desk(teacher: Teacher) -> QuerySet[LessonRequest]:
    """The open requests that this teacher is asked to answer, the oldest first."""
    return (
        LessonRequest.objects.filter(teacher=teacher, state=LessonRequest.State.OPEN)
        .select_related("student", "subject", "offer")
        .order_by("created_at", "pk")
    )


def _reasons_against(request: LessonRequest) -> dict[str, Q]:
    """The condition of each verdict but "suitable"; the names are those in VERDICTS.

    A teacher with no regions may teach anywhere; one with a country may teach in all its parts. A teacher whom the
    student asked by name in another open request counts as asked.
    """
    places = sorted({request.region, request.region.partition("-")[0]})
    today = timezone.localdate()
    return {
        "student": Q(teacher__user_id=request.student_id),
        "inactive": ~Q(teacher__status=Teacher.Status.APPROVED) | Q(teacher__user__is_active=False),
        "level": ~Q(levels__contains=[request.level]),
        "region": ~Q(teacher__regions=[]) & ~Q(teacher__regions__overlap=places),
        "paused": Q(teacher__availability__is_paused=True)
        & (Q(teacher__availability__paused_until=None) | Q(teacher__availability__paused_until__gt=today)),
        "days": _teaches_on_other_days(request.preferred_days),
        "asked": Q(teacher_id__in=[*asked_teachers(request), *_asked_by_name(request)]),
    }


def _teaches_on_other_days(preferred: Sequence[str]) -> Q:
    """The teacher and the student both name days, and none is the same."""
    if not preferred:
        return Q(pk__in=[])
    days = Q(teacher__availability__days__len__gt=0)
    return days & ~Q(teacher__availability__days__overlap=list(preferred))


def _asked_by_name(request: LessonRequest) -> list[int]:
    others = LessonRequest.objects.filter(
        student=request.student_id, subject=request.subject_id, state=LessonRequest.State.OPEN
    ).exclude(pk=request.pk)
    return list(others.filter(teacher__isnull=False).values_list("teacher_id", flat=True))
