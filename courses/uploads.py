"""Which files lessons may have, and where they are kept. They are handed out byte for byte as their teacher sent them."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from uploads.names import ending
from uploads.storage import PrivateStorage

LARGEST_FILE_BYTES = 50 * 1024 * 1024
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


def private_storage() -> PrivateStorage:
    """Return where bought files live; a callable, so that migrations do not freeze it."""
    return PrivateStorage()


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
