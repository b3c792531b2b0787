"""Applications to teach, and staff's decisions on them: a teacher's status changes in no other way.

An app that must react (mails live above this app) registers a listener in its AppConfig.ready(). Listeners run inside
the transaction of the decision, so what they write is kept or lost together with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts.folding import fold
from accounts.models import Teacher, User

DecisionListener = Callable[[Teacher], None]
_listeners: list[DecisionListener] = []

# The statuses from which each decision may be taken. Repeating a decision is not among them: it is refused.
_MAY_BECOME: dict[str, Collection[str]] = {
    Teacher.Status.APPROVED: {Teacher.Status.APPLIED, Teacher.Status.DECLINED, Teacher.Status.SUSPENDED},
    Teacher.Status.DECLINED: {Teacher.Status.APPLIED},
    Teacher.Status.SUSPENDED: {Teacher.Status.APPROVED},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What applicants say about themselves."""

    display_name: str
    headline: str = ""
    biography: str = ""
    languages: Sequence[str] = ()
    regions: Sequence[str] = ()


class AlreadyTeaching(Exception):
    """The person has an application that is waiting, or a profile that was not declined."""


class DecisionNotPossible(Exception):
    """The teacher's status does not allow this decision. Carries a message for staff."""


def listen_to_decisions(listener: DecisionListener) -> None:
    """Call `listener` with the teacher after each change of status, including a new application."""
    if listener in _listeners:
        raise ValueError(f"{listener!r} already listens.")
    _listeners.append(listener)


@transaction.atomic
def apply_to_teach(*, user: User, application: Application) -> Teacher:
    """Record an application for staff to decide on; a declined teacher may apply again.

    Raises AlreadyTeaching if an application is waiting or there is a profile already.
    """
    # Locking the person turns two clicks into one application.
    User.objects.select_for_update().get(pk=user.pk)
    teacher = Teacher.objects.filter(user=user).first()
    if teacher is None:
        teacher = Teacher(user=user)
    elif teacher.status != Teacher.Status.DECLINED:
        raise AlreadyTeaching(f"{user} is {teacher.get_status_display()}.")
    teacher.status = Teacher.Status.APPLIED
    teacher.display_name = application.display_name
    teacher.headline = application.headline
    teacher.biography = application.biography
    teacher.languages = list(application.languages)
    teacher.regions = list(application.regions)
    teacher.applied_at = timezone.now()
    teacher.decided_at = None
    teacher.decided_by = None
    teacher.decision_note = ""
    _save_under_free_slug(teacher)
    _tell(teacher)
    return teacher


def approve_teacher(*, teacher: Teacher, by: User) -> Teacher:
    """Let them teach: after an application, even one declined before, or a suspension. Raises DecisionNotPossible."""
    return _decide(teacher, status=Teacher.Status.APPROVED, by=by, note="")


def decline_teacher(*, teacher: Teacher, by: User, note: str = "") -> Teacher:
    """Decline an application; `note` is shown to the applicant, who may apply again. Raises DecisionNotPossible."""
    return _decide(teacher, status=Teacher.Status.DECLINED, by=by, note=note)


def suspend_teacher(*, teacher: Teacher, by: User, note: str = "") -> Teacher:
    """Take an approved teacher off the site; they still teach what was sold before. Raises DecisionNotPossible."""
    return _decide(teacher, status=Teacher.Status.SUSPENDED, by=by, note=note)


def may_become(teacher: Teacher, status: Teacher.Status) -> bool:
    """Whether that decision is possible from the teacher's present status."""
    return teacher.status in _MAY_BECOME[status]


@transaction.atomic
def _decide(teacher: Teacher, *, status: Teacher.Status, by: User, note: str) -> Teacher:
    locked = Teacher.objects.select_for_update(of=("self",)).select_related("user").get(pk=teacher.pk)
    if not may_become(locked, status):
        raise DecisionNotPossible(
            f"{locked} is {locked.get_status_display().lower()} and cannot become {status.label.lower()}."
        )
    locked.status = status
    locked.decided_at = timezone.now()
    locked.decided_by = by
    locked.decision_note = note
    locked.save(update_fields=["status", "decided_at", "decided_by", "decision_note"])
    _tell(locked)
    return locked


def _tell(teacher: Teacher) -> None:
    for listener in _listeners:
        listener(teacher)


def _save_under_free_slug(teacher: Teacher) -> None:
    """Save, giving a new teacher's page its address; a teacher who applies again keeps theirs."""
    while not teacher.slug:
        teacher.slug = _free_slug(teacher.display_name)
        try:
            with transaction.atomic():
                teacher.save()
        except IntegrityError:
            # A person of the same name applied at the same moment and has it now; no other error is a reason to try
            # again.
            if not Teacher.objects.filter(slug=teacher.slug).exists():
                raise
            teacher.slug = ""
        else:
            return
    teacher.save()


def _free_slug(display_name: str) -> str:
    """The address of the public page, made from the name: anna-smith, anna-smith-2, anna-smith-3."""
    # Slugs are ASCII only, so nothing may be left of a name in another script.
    stem = slugify(fold(display_name))[:40] or "teacher"
    taken = set(Teacher.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    number = 1
    slug = stem
    while slug in taken:
        number += 1
        slug = f"{stem}-{number}"
    return slug
