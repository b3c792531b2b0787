"""Texts of one line, such as titles: they stand in mails, receipts, calendars and lists, so nothing in them hides or breaks."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from accounts.unseen import is_noncharacter, is_piled_up, is_seen

_BREAKS = re.compile(r"\s*[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]\s*")
# Marks of text that was copied from elsewhere: they only say where a word may or must not be divided.
_LEFT_BY_PASTING = re.compile("[\ufeff\u2060\u00ad]")
# Join or order letters (Persian, Hindi, Thai, emoji); the tags are in flags of England, Scotland and Wales.
_JOINERS = re.compile("[\u200b-\u200f\u061c\U000e0020-\U000e007f]")
# Controls, formatting such as overrides of the writing direction, half characters, private use.
_REFUSED_CATEGORIES = frozenset(["Cc", "Cf", "Cs", "Co"])


def clean_line(text: str) -> str:
    """The text as it is stored: NFC, breaks turned into spaces. Raises ValidationError for characters that hide."""
    line = _BREAKS.sub(" ", _LEFT_BY_PASTING.sub("", unicodedata.normalize("NFC", text))).strip()
    plain = _JOINERS.sub("", line)
    if any(unicodedata.category(sign) in _REFUSED_CATEGORIES or is_noncharacter(sign) for sign in plain):
        raise ValidationError("This contains characters that cannot be shown.", code="not_shown")
    if line and not is_seen(plain):
        raise ValidationError("This contains nothing that can be seen.", code="not_shown")
    if is_piled_up(line):
        raise ValidationError("This has too many accents on one letter.", code="piled_up")
    return line


class LineFormField(forms.CharField):
    """A text of one line, kept as `clean_line` returns it."""

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Let the browser take the direction of writing from what is typed."""
        return super().widget_attrs(widget) | {"dir": "auto"}

    def to_python(self, value: Any) -> str:
        return clean_line(super().to_python(value) or "")


if TYPE_CHECKING:
    _TextColumn = models.CharField[str, str]
else:  # Django's fields take no subscripts at run time.
    _TextColumn = models.CharField


class LineField(_TextColumn):
    """A column for a text of one line; forms clean what is typed into it."""

    def formfield(self, **options: Any) -> Any:
        return super().formfield(**{"form_class": LineFormField, **options})

    def deconstruct(self) -> Any:
        """The column is that of a CharField, so migrations need not know this class."""
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.CharField", arguments, options
