"""The files that lessons may have, and where they are stored."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile

from uploads.metadata import NotReadable, without_metadata
from uploads.names import ending
from uploads.storage import PrivateStorage

LARGEST_FILE_BYTES = 50 * 1024 * 1024
_ZIP = b"PK\x03\x04"
# Ending → (content type, first bytes of such files). No type that a browser would run as a page of this site, such as
# HTML or SVG.
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
_PICTURES = ("png", "jpg", "jpeg")


def private_storage() -> PrivateStorage:
    """The storage of lessons' files; a callable, so that migrations do not contain its location."""
    return PrivateStorage()


def content_type(name: str) -> str:
    """The content type to serve a file with; taken from FILE_TYPES, never from the upload."""
    return FILE_TYPES.get(ending(name), ("application/octet-stream", ()))[0]


def read_lesson_file(upload: UploadedFile[Any]) -> UploadedFile[Any] | ContentFile[bytes]:
    """The file to store: the upload as it is, but a picture without its metadata. Raises ValidationError for a file that is too large, of an unlisted type, or not of the type its name says."""
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
        raise ValidationError(f"This is not a .{kind} file, although its name says so.")
    return _without_metadata(upload) if kind in _PICTURES else upload


def _without_metadata(upload: UploadedFile[Any]) -> ContentFile[bytes]:
    """A teacher's photo tells where it was taken: the place and the camera are no part of what students buy."""
    try:
        return ContentFile(without_metadata(upload.read()), name=upload.name)
    except NotReadable:
        raise ValidationError("This picture is damaged or cut off. Save it anew and try again.") from None
