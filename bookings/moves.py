"""Staff move a request to a teacher of their choice."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Teacher, User
from bookings import mails
from bookings.assignment import ask_teacher, end_assignment
from bookings.matching import asked_teachers
from bookings.models import Assignment, LessonRequest, TeacherLoad


class MoveRefused(Exception):
    """The request cannot be given to this teacher. The message is shown to staff."""


@transaction.atomic
def move_request(*, request_id: int, to: Teacher, by: User, note: str = "") -> Assignment:
    """Give an open request to another approved teacher, also one who is paused or teaches something else.

    A teacher who declined it, or did not answer, is not asked again. Raises MoveRefused, and
    LessonRequest.DoesNotExist.
    """
    request = (
        LessonRequest.objects.select_for_update(of=("self",))
        .select_related("student", "subject", "teacher__user", "offer")
        .get(pk=request_id)
    )
    # As when a request is made, so that the student's other requests stay as they are read here.
    User.objects.select_for_update(no_key=True).get(pk=request.student_id)
    _refuse_unsuitable(request, to)
    if request.teacher:
        mails.queue_request_left(request, request.teacher, is_late=False)
    end_assignment(request, Assignment.Outcome.MOVED if request.teacher else Assignment.Outcome.FOUND)
    if request.offer and request.offer.teacher_id != to.pk:
        request.offer = None
    load = TeacherLoad.objects.get(teacher=to).total
    assignment = Assignment(request=request, teacher=to, cause=Assignment.Cause.MOVED, load=load, made_by=by, note=note)
    return ask_teacher(request, to, assignment=assignment)


def _refuse_unsuitable(request: LessonRequest, teacher: Teacher) -> None:
    if not request.is_open:
        raise MoveRefused("This request is no longer open.")
    if not teacher.is_approved or not teacher.user.is_active:
        raise MoveRefused(f"{teacher} is not an approved teacher.")
    if teacher.user_id == request.student_id:
        raise MoveRefused(f"{teacher} made this request.")
    if teacher.pk == request.teacher_id:
        raise MoveRefused(f"{teacher} has this request already.")
    if teacher.pk in asked_teachers(request):
        raise MoveRefused(f"{teacher} declined this request, or did not answer it.")
    others = LessonRequest.objects.filter(
        student=request.student_id, subject=request.subject_id, state=LessonRequest.State.OPEN, teacher=teacher
    )
    if others.exists():
        raise MoveRefused(f"{request.student} has already asked {teacher} for lessons in {request.subject}.")
