"""The form field of array columns in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError


class ListFormField(SimpleArrayField):
    """Several values with commas between them. Its messages may quote a percent sign that was typed.

    Django's own messages about one value hold the final text, but also parameters, so the text is formatted once more
    when it is shown, and a percent sign in it fails.
    """

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except ValidationError as error:
            raise ValidationError([_formatted_once(each) for each in error.error_list]) from error


def _formatted_once(error: ValidationError) -> ValidationError:
    return ValidationError(str(error.message), code=error.code) if error.code == "item_invalid" else error
