"""Check a file that staff add as evidence. Stripe takes PDF, JPEG and PNG, and sends it on to the bank as it is."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from PIL import Image

from payments.disputes.evidence_fields import LARGEST_TOGETHER
from uploads.names import safe_file_name

_BEGINNINGS = {b"%PDF-": "pdf", b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg"}
_PICTURES = {"png": "PNG", "jpg": "JPEG"}
_WHAT_IS_TAKEN = "Use a PDF, JPEG or PNG file."


def read_evidence_file(upload: File[Any]) -> ContentFile[bytes]:
    """The file under a safe name with the ending of its content. Raises ValidationError with a message for staff.

    The content decides the kind, never the name.
    """
    upload.seek(0)
    content = upload.read(LARGEST_TOGETHER + 1)
    if not content:
        raise ValidationError("The file is empty.", code="empty")
    if len(content) > LARGEST_TOGETHER:
        raise ValidationError("The file is larger than 4.5 MB. Choose a smaller one.", code="too_large")
    kind = next((kind for beginning, kind in _BEGINNINGS.items() if content.startswith(beginning)), None)
    if kind is None:
        raise ValidationError(f"The bank cannot read this file. {_WHAT_IS_TAKEN}", code="wrong_kind")
    if kind in _PICTURES:
        _check_picture(content, _PICTURES[kind])
    stem = safe_file_name(upload.name or "file").rpartition(".")[0]
    return ContentFile(content, name=f"{stem[:80]}.{kind}")


def _check_picture(content: bytes, picture_format: str) -> None:
    """Check header and structure, without decoding the pixels."""
    try:
        with Image.open(BytesIO(content), formats=(picture_format,)) as image:
            image.verify()
    except Exception as error:  # Pillow's parsers may raise anything for a broken or hostile file
        raise ValidationError(f"The picture is damaged. {_WHAT_IS_TAKEN}", code="unreadable") from error
