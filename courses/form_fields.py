"""Form fields for a course's lists of short texts, used by teachers' forms and the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

_OUTCOMES_AT_MOST = 12
_LONGEST_OUTCOME = 200
_CHOICES_AT_MOST = 8
_LONGEST_CHOICE = 200


class LinesField(forms.CharField):
    """Several short texts, one per line."""

    widget = forms.Textarea(attrs={"rows": 5})

    def __init__(self, *, lines_at_most: int, longest: int, **options: Any) -> None:
        super().__init__(**options)
        self.lines_at_most = lines_at_most
        self.longest = longest

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed("\n".join(initial or []), "\n".join(_lines_of(data or "")))

    def clean(self, value: Any) -> list[str]:
        lines = _lines_of(super().clean(value))
        if len(lines) > self.lines_at_most:
            raise ValidationError(f"Enter at most {self.lines_at_most} lines.")
        if any(len(line) > self.longest for line in lines):
            raise ValidationError(f"Each line may have at most {self.longest} characters.")
        return lines


class OutcomesField(LinesField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            lines_at_most=_OUTCOMES_AT_MOST,
            longest=_LONGEST_OUTCOME,
            required=False,
            label="What students will learn",
            help_text="One outcome per line.",
            **options,
        )


class ChoicesField(LinesField):
    """The choices of a quiz question."""

    def __init__(self, *, help_text: str = "One choice per line.", **options: Any) -> None:
        super().__init__(lines_at_most=_CHOICES_AT_MOST, longest=_LONGEST_CHOICE, help_text=help_text, **options)


def _lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
