"""The small picture of an item, for its quote."""

from __future__ import annotations

from django.db.models.fields.files import FieldFile

from catalogue.models import Subject
from payments.contracts import Thumbnail


def thumbnail_of(subject: Subject | None, picture: FieldFile | None = None) -> Thumbnail:
    """The uploaded picture if there is one, otherwise the drawing of the subject. Makes no query."""
    url = picture.url if picture else ""
    return Thumbnail(url=url, motif=subject.motif, tone=subject.tone) if subject else Thumbnail(url=url)
