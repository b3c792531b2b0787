"""What a teacher says they teach."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.models import Teacher
from catalogue.models import Expertise, Subject


def set_expertise(*, teacher: Teacher, subject: Subject, levels: Sequence[str]) -> Expertise:
    """Say that a teacher teaches a subject to these levels; saying it again replaces the levels."""
    expertise, _ = Expertise.objects.update_or_create(
        teacher=teacher, subject=subject, defaults={"levels": list(levels)}
    )
    return expertise


def remove_expertise(*, teacher: Teacher, subject: Subject) -> None:
    """Take a subject off a teacher's page. Their published offers keep theirs. Harmless if it is not there."""
    Expertise.objects.filter(teacher=teacher, subject=subject).delete()
