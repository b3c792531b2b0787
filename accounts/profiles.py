"""Change the teacher's page."""

from __future__ import annotations

from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction

from accounts.models import Teacher


@transaction.atomic
def change_teacher_profile(*, teacher: Teacher, photo: ContentFile[bytes] | bool | None, **texts: Any) -> Teacher:
    """Change what the teacher's page says. `photo` is a new one, False to remove it, None to keep it."""
    locked = Teacher.objects.select_for_update(of=("self",)).get(pk=teacher.pk)
    for name, value in texts.items():
        setattr(locked, name, value)
    if photo is not None:
        _remove_after_commit(locked.photo.storage, locked.photo.name)
        locked.photo = photo or ""
    locked.save(update_fields=[*texts, "photo"])
    return locked


def _remove_after_commit(storage: Storage, name: str | None) -> None:
    # A page that is being read may still show it for a moment; a rolled back change must not lose it.
    if name:
        transaction.on_commit(lambda: storage.delete(name), robust=True)
