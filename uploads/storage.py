"""File storage. Writing a file succeeds as a whole or leaves nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

log = structlog.get_logger(__name__)


class NotStored(Exception):
    """A file could not be written: the disk is full, read-only or missing. The message is for the person."""

    def __init__(self) -> None:
        super().__init__("We cannot store files at the moment, so nothing was saved. Please try again later.")


class DiskStorage(FileSystemStorage):
    """Files below MEDIA_ROOT. Names are random (`uploads.fields`), so no two writers ever choose the same one."""

    def _save(self, name: str, content: File[Any]) -> str:
        try:
            return str(super()._save(name, content))  # type: ignore[misc]  # the stubs leave it out
        except OSError as error:
            # The random name was free a moment ago, so the file there is the half that was written.
            with suppress(OSError):
                self.delete(name)
            log.exception("upload_not_stored", name=name)
            raise NotStored from error


class PrivateStorage(DiskStorage):
    """Files without a URL. The folder is looked up at each use, so that tests can choose another one."""

    @property
    def base_location(self) -> str:
        return str(settings.PRIVATE_MEDIA_ROOT)

    @property
    def location(self) -> str:
        return str(Path(self.base_location).resolve())

    def url(self, name: str | None) -> str:
        """Refuse: with no base URL set, the parent class would return one below MEDIA_URL."""
        raise ValueError(f"{name} is not accessible via a URL.")
