"""Change the teacher's page."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import Teacher
from uploads.pictures import Picture


@transaction.atomic
def change_teacher_profile(*, teacher: Teacher, photo: Picture | bool | None, **texts: Any) -> Teacher:
    """Change what the teacher's page says. `photo` is a new one, False to remove it, None to keep it."""
    locked = Teacher.objects.select_for_update(of=("self",)).get(pk=teacher.pk)
    for name, value in texts.items():
        setattr(locked, name, value)
    if photo is not None:
        locked.photo = photo or ""
    locked.save(update_fields=[*texts, "photo"])
    return locked
