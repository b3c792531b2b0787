"""Delete files that no row names any more."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.apps import apps
from django.core.files.storage import Storage
from django.db import models, transaction


def delete_after_commit(storage: Storage, name: str) -> None:
    """Delete a file that a row no longer names, after the commit: no rolled-back change may lose a file.

    If the disk refuses, that is logged and the file is left to `uploads.orphans`: the change itself was made.
    """

    def delete_unused() -> None:
        if not names_in_use([name]):
            storage.delete(name)

    transaction.on_commit(delete_unused, robust=True)


def names_in_use(names: Collection[str]) -> set[str]:
    """Return those of the names that a row of any model holds."""
    used: set[str] = set()
    for model, field in _file_fields():
        rows = model._base_manager.filter(**{f"{field.name}__in": names})
        used.update(rows.values_list(field.name, flat=True))
    return used


def _file_fields() -> Iterator[tuple[type[models.Model], models.FileField]]:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.FileField):
                yield model, field
