"""The subjects and levels that a teacher teaches."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.models import Teacher
from catalogue.models import Expertise, Subject


def set_expertise(*, teacher: Teacher, subject: Subject, levels: Sequence[str]) -> Expertise:
    """Record that a teacher teaches a subject at these levels; replaces the levels recorded before."""
    expertise, _ = Expertise.objects.update_or_create(
        teacher=teacher, subject=subject, defaults={"levels": list(levels)}
    )
    return expertise


def remove_expertise(*, teacher: Teacher, subject: Subject) -> None:
    """Remove a subject from a teacher's page, if it is there. Published offers keep their subject."""
    Expertise.objects.filter(teacher=teacher, subject=subject).delete()


def only_subject_of(teacher: Teacher) -> int | None:
    """The subject that forms preselect: the teacher's if there is exactly one."""
    subjects = list(teacher.expertises.values_list("subject", flat=True)[:2])
    return subjects[0] if len(subjects) == 1 else None
