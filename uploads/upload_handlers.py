"""Receive large uploads while a request is read, even when the disk has no room for them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NoReturn

import structlog
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler

from uploads.storage import NotStored

log = structlog.get_logger(__name__)


class UnstoredUpload(UploadedFile):  # type: ignore[type-arg]  # generic for mypy only, not at run time
    """Stands in for a file that did not fit on the disk, so that its form reports that instead of a missing file."""

    def read(self, *_arguments: Any) -> NoReturn:
        raise NotStored

    def seek(self, *_arguments: Any) -> NoReturn:
        raise NotStored


class TemporaryFileHandler(TemporaryFileUploadHandler):
    """Django's own, except that a full disk costs only the file, not the request: the other fields reach their form."""

    is_failed = False

    def new_file(self, *arguments: Any, **options: Any) -> None:
        self.is_failed = False
        try:
            super().new_file(*arguments, **options)
        except OSError:
            self._give_up()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if self.is_failed:
            return None
        try:
            return super().receive_data_chunk(raw_data, start)
        except OSError:
            self._give_up()
            return None

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:
        if not self.is_failed:
            try:
                # Seeks to the beginning, which flushes what was still in memory.
                return super().file_complete(file_size)
            except OSError:
                self._give_up()
        return UnstoredUpload(None, self.file_name, self.content_type, file_size)

    def _give_up(self) -> None:
        log.error("upload_not_taken_in", exc_info=True)  # noqa: LOG014  # called where the error is handled
        self.is_failed = True
        if file := getattr(self, "file", None):
            # Closing deletes it, after trying once more to write what did not fit.
            with suppress(OSError):
                file.close()
