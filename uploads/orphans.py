"""Find files that no row names: a killed process, a rolled-back change or raw SQL left them on the disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from django.apps import apps
from django.core.files.storage import Storage
from django.utils import timezone

from uploads.fields import StoredFileField
from uploads.removal import names_in_use

# A file is written before the row that names it is committed, so a young file may still get its row.
YOUNGEST = timedelta(days=1)
_NAMES_AT_ONCE = 500
# The names that `uploads.fields` gives; covers once had half as many digits. Any other file in these folders was put
# there by people and is left alone.
_OURS = re.compile(r"(?:[0-9a-f]{16}){1,2}\.[a-z0-9]{1,8}", re.ASCII)


def find_orphans() -> Iterator[tuple[Storage, str]]:
    """Yield storage and name of each file of ours that is older than a day and that no row names."""
    for storage, folder in _folders():
        old = _old_files(storage, folder)
        while names := list(islice(old, _NAMES_AT_ONCE)):
            used = names_in_use(names)
            yield from ((storage, name) for name in names if name not in used)


def delete_orphans() -> int:
    """Delete them and return how many there were. May run in several processes at once."""
    number = 0
    for storage, name in find_orphans():
        storage.delete(name)
        number += 1
    return number


def _folders() -> Iterator[tuple[Storage, str]]:
    fields = [field for model in apps.get_models() for field in model._meta.concrete_fields]
    for field in fields:
        if isinstance(field, StoredFileField):
            yield field.storage, str(field.upload_to)


def _old_files(storage: Storage, folder: str) -> Iterator[str]:
    if not storage.exists(folder):
        return
    _folders_below, files = storage.listdir(folder)
    for file in files:
        name = f"{folder}{file}"
        if _OURS.fullmatch(file) and storage.get_modified_time(name) < timezone.now() - YOUNGEST:
            yield name
