"""The boxes that choose related rows, in admin forms that are shown again with invalid posted values."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.admin.widgets import AutocompleteMixin, ForeignKeyRawIdWidget, RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db.models import Field
from django.forms import Widget


def can_be_value_of(field: Field[Any, Any], text: str) -> bool:
    """Whether a field could hold this text from an address or a form. PostgreSQL's texts hold no NUL."""
    try:
        field.to_python(text)
    except (ValidationError, ValueError, OverflowError):
        return False
    return "\0" not in text


def show_possible_rows_only(widget: Widget, key: Field[Any, Any]) -> None:
    """Make a box ignore posted values that cannot be ids of rows. Django's boxes query them and fail."""
    inner = widget.widget if isinstance(widget, RelatedFieldWidgetWrapper) else widget
    if isinstance(inner, AutocompleteMixin | ForeignKeyRawIdWidget):
        # Changes the class rather than the methods, because each form copies the box.
        inner.__class__ = _possible_rows_only(type(inner))  # type: ignore[assignment]  # a subclass of its class
        vars(inner).update(key_of_rows=key)


class PossibleRowsOnly:
    """Mixin for a widget."""

    key_of_rows: Field[Any, Any]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        if isinstance(value, list | tuple):
            value = [row for row in value if can_be_value_of(self.key_of_rows, str(row))]
        elif value is not None and not can_be_value_of(self.key_of_rows, str(value)):
            value = None
        context: dict[str, Any] = super().get_context(name, value, attrs)  # type: ignore[misc]  # the widget has it
        return context


@cache
def _possible_rows_only(widget_class: type[Widget]) -> type[Widget]:
    return type(widget_class.__name__, (PossibleRowsOnly, widget_class), {"__module__": widget_class.__module__})
