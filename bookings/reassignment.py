"""Pass on requests that their teacher does not answer, and find teachers for those that have none.

All of it runs from time to time and may run in several processes at once: each request is locked, and looked at again
under the lock. A request that another transaction is answering is left for the next time: the answer counts.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Teacher
from bookings import mails, rules
from bookings.assignment import assign_request, end_assignment
from bookings.models import Assignment, LessonRequest


def pass_on_unanswered() -> int:
    """Give requests that were not answered in time to the next teacher, or let them lapse; returns how many."""
    return _for_each(_unanswered(), _pass_on)


def reassign_abandoned() -> int:
    """Give the requests of teachers who stopped teaching here to others; returns how many."""
    return _for_each(_abandoned(), _take_from_absent)


def assign_waiting() -> int:
    """Try again to find a teacher for requests that wait for one; returns how many got one."""
    return _for_each(_waiting(), _try_again)


def pass_to_next(request: LessonRequest, outcome: Assignment.Outcome, *, note: str = "") -> None:
    """Take a locked, open request to any teacher from the present one, and give it to the next."""
    end_assignment(request, outcome, note=note)
    request.teacher = None
    request.save(update_fields=["teacher"])
    assign_request(request, cause=Assignment.Cause(outcome.value))


def _unanswered() -> QuerySet[LessonRequest]:
    now = timezone.now()
    is_assigned = Q(is_to_any_teacher=True, teacher__isnull=False)
    return _open().filter(
        Q(is_assigned, asked_at__lte=now - rules.ASSIGNED_ANSWER_WITHIN)
        | Q(~is_assigned, asked_at__lte=now - rules.ANSWER_WITHIN)
    )


def _pass_on(request: LessonRequest) -> bool:
    if request.is_to_any_teacher and request.teacher:
        mails.queue_request_left(request, request.teacher, is_late=True)
        pass_to_next(request, Assignment.Outcome.LAPSED)
        return True
    request.state = LessonRequest.State.LAPSED
    request.answered_at = timezone.now()
    request.save(update_fields=["state", "answered_at"])
    end_assignment(request, Assignment.Outcome.LAPSED)
    mails.queue_request_lapsed(request)
    return True


def _abandoned() -> QuerySet[LessonRequest]:
    is_gone = ~Q(teacher__status=Teacher.Status.APPROVED) | Q(teacher__user__is_active=False)
    return _open().filter(is_gone, is_to_any_teacher=True, teacher__isnull=False)


def _take_from_absent(request: LessonRequest) -> bool:
    pass_to_next(request, Assignment.Outcome.LEFT)
    return True


def _waiting() -> QuerySet[LessonRequest]:
    return _open().filter(is_to_any_teacher=True, teacher=None)


def _try_again(request: LessonRequest) -> bool:
    is_known = Assignment.objects.filter(request=request).exists()
    cause = Assignment.Cause.RETRIED if is_known else Assignment.Cause.REQUESTED
    assign_request(request, cause=cause)
    return request.teacher is not None


def _open() -> QuerySet[LessonRequest]:
    return LessonRequest.objects.filter(state=LessonRequest.State.OPEN)


def _for_each(found: QuerySet[LessonRequest], act: Callable[[LessonRequest], bool]) -> int:
    return sum(_act_on(found, pk, act) for pk in list(found.order_by("asked_at", "pk").values_list("pk", flat=True)))


@transaction.atomic
def _act_on(found: QuerySet[LessonRequest], pk: int, act: Callable[[LessonRequest], bool]) -> bool:
    """Act on a request in its own transaction, so that the lock of assignments is never held for long."""
    locked = (
        found.select_for_update(of=("self",), skip_locked=True)
        .select_related("student", "subject__broader", "teacher__user")
        .filter(pk=pk)
        .first()
    )
    return locked is not None and act(locked)
