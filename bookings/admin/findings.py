"""Why teachers were chosen for a request, in words for staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from accounts.models import Teacher
from bookings.matching import VERDICTS, Tally
from bookings.models import Assignment, LessonRequest
from catalogue.models import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One assignment, and what led to it."""

    assignment: Assignment
    reasons: Sequence[str]


def history_of(request: LessonRequest) -> list[Step]:
    """The assignments of a request, the first one first, in a constant number of queries."""
    assignments = list(request.assignments.select_related("teacher", "made_by", "subject"))
    subjects = Subject.objects.in_bulk({tally["subject_id"] for one in assignments for tally in one.findings})
    teachers = Teacher.objects.in_bulk({other["teacher_id"] for one in assignments for other in one.runners_up})
    return [Step(assignment=one, reasons=list(_reasons(one, subjects, teachers))) for one in assignments]


def _reasons(assignment: Assignment, subjects: Mapping[int, Subject], teachers: Mapping[int, Teacher]) -> Iterable[str]:
    for stored in assignment.findings:
        tally = Tally.from_json(stored)
        yield f"{subjects.get(tally.subject_id, 'A subject that is gone')}: {_count_words(tally)}."
    if assignment.cause == Assignment.Cause.MOVED:
        yield f"Chosen by {assignment.made_by or 'a former member of staff'}, with a load of {assignment.load}."
    elif assignment.teacher is None:
        yield "No teacher was left to ask, so staff look for one."
    elif assignment.findings:
        yield f"Chosen as the one with the least work: a load of {assignment.load}.{_next_words(assignment, teachers)}"


def _count_words(tally: Tally) -> str:
    counted = [f"{tally.counts[verdict]} {words}" for verdict, words in VERDICTS.items() if tally.counts.get(verdict)]
    if not counted:
        return "no teacher has this subject"
    return f"{sum(tally.counts.values())} considered, of whom {', '.join(counted)}"


def _next_words(assignment: Assignment, teachers: Mapping[int, Teacher]) -> str:
    others = [
        f"{teachers[other['teacher_id']]} ({other['load']})"
        for other in assignment.runners_up
        if other["teacher_id"] in teachers
    ]
    return f" Next would have been {', '.join(others)}." if others else " No other was suitable."
