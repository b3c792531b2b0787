"""Model fields that hold files. They store and delete a row's files, whichever form or command saves the row."""

from __future__ import annotations

import secrets
from os import PathLike
from typing import Any

from django.db import models
from django.db.models.signals import post_delete, post_save

from uploads.form_fields import PictureFormField, UploadFormField
from uploads.names import ending
from uploads.pictures import Picture, Shape
from uploads.removal import delete_after_commit


class StoredFileField(models.FileField):
    """A file under a random name in the folder `upload_to`; deleted once its row no longer names it.

    `update()` and raw SQL bypass it, as they do every field's `pre_save`: `uploads.orphans` finds what they leave.
    """

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        """Appear in migrations as Django's own field: the column is the same."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.FileField", arguments, options

    def generate_filename(self, instance: models.Model | None, filename: str | PathLike[str]) -> str:  # noqa: ARG002  # Django's signature
        """Only the ending of the sender's file name reaches the disk."""
        return f"{self.upload_to}{secrets.token_hex(16)}.{ending(str(filename))}"

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        model_instance.__dict__[self._former] = "" if add else self._stored_name(model_instance)
        return super().pre_save(model_instance, add)

    def contribute_to_class(self, cls: type[models.Model], name: str, **options: Any) -> None:  # type: ignore[override]  # as Django's FileField has it
        super().contribute_to_class(cls, name, **options)
        if not cls._meta.abstract:
            # Only after the row is written: outside a transaction, "after commit" means at once.
            post_save.connect(self._delete_replaced, sender=cls)
            post_delete.connect(self._delete_with_row, sender=cls)

    def formfield(self, **options: Any) -> Any:
        return super().formfield(**{"form_class": UploadFormField, **options})

    @property
    def _former(self) -> str:
        """The attribute in which a row remembers, during a save, which file it had before."""
        return f"_former_{self.attname}"

    def _stored_name(self, instance: models.Model) -> str:
        rows = type(instance)._base_manager.filter(pk=instance.pk)
        return rows.values_list(self.attname, flat=True).first() or ""

    def _delete_replaced(self, instance: models.Model, **_: Any) -> None:
        former = instance.__dict__.pop(self._former, "")
        if former and former != getattr(instance, self.attname).name:
            delete_after_commit(self.storage, former)

    def _delete_with_row(self, instance: models.Model, **_: Any) -> None:
        if file := getattr(instance, self.attname):
            delete_after_commit(self.storage, file.name)


class PictureField(StoredFileField, models.ImageField):
    """A picture. Its form field reads through `uploads.pictures`, and saving refuses anything else."""

    def __init__(self, *arguments: Any, shape: Shape | None = None, **options: Any) -> None:
        """Take the shape in which pictures are kept; only migrations, which save nothing, leave it out."""
        self.shape = shape
        super().__init__(*arguments, **options)

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.ImageField", arguments, options

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        file = getattr(model_instance, self.attname)
        if file and not file._committed and not isinstance(file.file, Picture):  # noqa: SLF001  # Django offers no other way to ask
            raise TypeError(f"{self} takes what uploads.pictures.read_picture returns, and nothing else.")
        return super().pre_save(model_instance, add)

    def formfield(self, **options: Any) -> Any:
        # The sender's file name is not kept, so its length does not matter.
        return super().formfield(**{"form_class": PictureFormField, "shape": self.shape, **options, "max_length": None})
