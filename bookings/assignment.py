"""Give a request to any teacher to one suitable teacher: the one with the least work.

One at a time: a process that counts the work of teachers holds a lock until the choice is committed, so two requests made at
once never both count a teacher as idle. Callers lock the request before they call, and this module locks the student
and then takes the lock of assignments: always in this order.
"""

from __future__ import annotations

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from accounts.models import Teacher, User
from bookings import mails, rules
from bookings.announcements import announce_assigned_request
from bookings.matching import Candidate, Tally, judge_teachers, least_loaded, subjects_for
from bookings.models import Assignment, LessonRequest
from catalogue.models import Subject
from notifications.alerts import clear_alert, raise_alert
from notifications.outbox import mails_gathered

_LOCK = 4_173_002  # of pg_advisory_xact_lock; any number that no other lock of ours has
# How long to wait for it: a crowd of hundreds takes a few seconds in all. Longer than any other lock of a page.
_PATIENCE = "15s"
_RUNNERS_UP = 5


def assign_request(request: LessonRequest, *, cause: Assignment.Cause) -> Assignment | None:
    """Give a locked, open request without a teacher to a suitable one, or else to staff.

    Staff get an alert. Returns the current assignment; None if so many are being made that this one must wait: the
    periodic task makes it.
    """
    User.objects.select_for_update(no_key=True).get(pk=request.student_id)
    findings: list[Tally] = []
    if _may_ask_another(request):
        for subject in subjects_for(request):
            tally, suitable = judge_teachers(request, subject)
            findings.append(tally)
            if not suitable:
                continue
            if not _lock_assignments():
                return None
            if candidates := least_loaded(suitable, at_most=_RUNNERS_UP + 1):
                return _give(request, candidates, subject=subject, findings=findings, cause=cause)
    return _leave_to_staff(request, findings=findings, cause=cause)


def end_assignment(request: LessonRequest, outcome: Assignment.Outcome, *, note: str = "") -> None:
    """Record how the current assignment of a locked request ended, if it has one, and clear the alert about it."""
    current = Assignment.objects.filter(request=request, ended_at=None)
    current.update(outcome=outcome, ended_at=timezone.now(), note=note)
    clear_alert(key=alert_key(request))


def ask_teacher(request: LessonRequest, teacher: Teacher, *, assignment: Assignment) -> Assignment:
    """Store an assignment of a locked, open request, and tell the teacher and the student."""
    assignment.save()
    request.teacher = teacher
    request.asked_at = assignment.made_at
    request.save(update_fields=["teacher", "asked_at", "offer"])
    with mails_gathered():
        mails.queue_request_received(request, teacher, assignment=assignment)
        mails.queue_request_assigned(request, assignment)
    announce_assigned_request(request, assignment)
    return assignment


def alert_key(request: LessonRequest) -> str:
    """The key of the alert that staff must find a teacher."""
    return f"lesson-request:{request.pk}:no-teacher"


def _give(
    request: LessonRequest,
    candidates: list[Candidate],
    *,
    subject: Subject,
    findings: list[Tally],
    cause: Assignment.Cause,
) -> Assignment:
    chosen, *others = candidates
    if cause == Assignment.Cause.RETRIED:
        end_assignment(request, Assignment.Outcome.FOUND)
    assignment = Assignment(
        request=request,
        teacher_id=chosen.teacher_id,
        cause=cause,
        subject=subject,
        findings=[tally.as_json() for tally in findings],
        runners_up=[{"teacher_id": other.teacher_id, "load": other.load} for other in others],
        load=chosen.load,
    )
    teacher = Teacher.objects.select_related("user").get(pk=chosen.teacher_id)
    return ask_teacher(request, teacher, assignment=assignment)


def _leave_to_staff(request: LessonRequest, *, findings: list[Tally], cause: Assignment.Cause) -> Assignment:
    """Record that no teacher was found, alert staff and tell the student; once, however often it is tried."""
    waiting = Assignment.objects.filter(request=request, ended_at=None).first()
    if waiting:
        return waiting
    assignment = Assignment.objects.create(
        request=request, cause=cause, findings=[tally.as_json() for tally in findings]
    )
    request.teacher = None
    request.asked_at = assignment.made_at
    request.save(update_fields=["teacher", "asked_at"])
    mails.queue_request_unassigned(request, assignment)
    raise_alert(
        key=alert_key(request),
        title=f"Find a teacher for a request for {request.subject}",
        detail={"request": request.pk, "level": request.level, "region": request.region},
    )
    return assignment


def _may_ask_another(request: LessonRequest) -> bool:
    asked = Assignment.objects.filter(request=request, teacher__isnull=False)
    return asked.count() < rules.TEACHERS_ASKED_AT_MOST


def _lock_assignments() -> bool:
    """Wait for the other assignments, until this transaction ends; False if that takes too long."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('lock_timeout'), set_config('lock_timeout', %s, true)", [_PATIENCE])
            usual, _ = cursor.fetchone()
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [usual])
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return False
        raise
    return True
