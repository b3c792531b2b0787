"""What may be uploaded, under which name it is kept, and where."""

from __future__ import annotations

import re
import secrets
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import UploadedFile

LARGEST_FILE_BYTES = 50 * 1024 * 1024
LARGEST_COVER_BYTES = 5 * 1024 * 1024
COVER_TYPES = frozenset({"jpg", "jpeg", "png", "webp"})
_ZIP = b"PK\x03\x04"
# Ending → (content type, how such a file begins). Nothing a browser would run as a page of ours: no HTML, no SVG.
FILE_TYPES: dict[str, tuple[str, tuple[bytes, ...]]] = {
    "pdf": ("application/pdf", (b"%PDF-",)),
    "epub": ("application/epub+zip", (_ZIP,)),
    "zip": ("application/zip", (_ZIP,)),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", (_ZIP,)),
    "pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", (_ZIP,)),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (_ZIP,)),
    "odt": ("application/vnd.oasis.opendocument.text", (_ZIP,)),
    "odp": ("application/vnd.oasis.opendocument.presentation", (_ZIP,)),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet", (_ZIP,)),
    "png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    "jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "mp3": ("audio/mpeg", (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")),
    "txt": ("text/plain; charset=utf-8", ()),
    "csv": ("text/csv; charset=utf-8", ()),
}


class PrivateStorage(FileSystemStorage):
    """Files nobody reaches by URL. The folder is looked up at each use, so that tests can point it elsewhere."""

    @property
    def base_location(self) -> str:
        return str(settings.PRIVATE_MEDIA_ROOT)

    @property
    def location(self) -> str:
        return str(Path(self.base_location).resolve())

    def url(self, name: str | None) -> str:
        """Refuse: without an address of its own, the parent would make one up below MEDIA_URL."""
        raise ValueError(f"{name} is not accessible via a URL.")


def private_storage() -> PrivateStorage:
    """Return where bought files live; a callable, so that migrations do not freeze it."""
    return PrivateStorage()


def lesson_file_path(_lesson: object, name: str) -> str:
    """A name that cannot be guessed and has nothing of the uploader's but the ending."""
    return f"courses/files/{secrets.token_hex(16)}.{ending(name)}"


def cover_path(_course: object, name: str) -> str:
    """As for files: no name of the uploader's reaches the disk."""
    return f"courses/covers/{secrets.token_hex(8)}.{ending(name)}"


def ending(name: str) -> str:
    """The lower-case ending without its dot."""
    return PurePosixPath(name).suffix.removeprefix(".").lower()


def safe_file_name(name: str) -> str:
    """The name to offer on download: letters, digits and a few marks, so that it can break no header or folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    stem = re.sub(r"[^\w .()-]+", "-", path.stem).strip(" .-")[:100]
    return f"{stem or 'file'}.{ending(name)}"


def content_type(name: str) -> str:
    """What a file is served as; it comes from our list, never from the uploader."""
    return FILE_TYPES.get(ending(name), ("application/octet-stream", ()))[0]


def check_lesson_file(upload: UploadedFile[Any]) -> None:
    """Refuse what is too large, of an unlisted type, or not what its name says. Raises ValidationError."""
    kind = ending(upload.name or "")
    if kind not in FILE_TYPES:
        raise ValidationError(f"This type of file cannot be uploaded. These can: {', '.join(sorted(FILE_TYPES))}.")
    if (upload.size or 0) > LARGEST_FILE_BYTES:
        raise ValidationError("The file is larger than 50 MB.")
    beginnings = FILE_TYPES[kind][1]
    upload.seek(0)
    head = upload.read(16)
    upload.seek(0)
    if beginnings and not head.startswith(beginnings):
        raise ValidationError(f"This is not a .{kind} file, whatever its name says.")


def check_cover(upload: UploadedFile[Any]) -> None:
    """Refuse large or unusual pictures; that it is a picture at all, the image field has checked. Raises ValidationError."""
    if ending(upload.name or "") not in COVER_TYPES:
        raise ValidationError("A cover is a JPEG, PNG or WebP picture.")
    if (upload.size or 0) > LARGEST_COVER_BYTES:
        raise ValidationError("The picture is larger than 5 MB.")
