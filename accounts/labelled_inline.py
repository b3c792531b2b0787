"""Inline rows in the admin whose fields have labels for people who cannot see the column headings."""

from __future__ import annotations

from typing import Any

from django.db.models import Field
from django.http import HttpRequest
from unfold.admin import TabularInline


class LabelledInline(TabularInline):  # type: ignore[misc]  # unfold has no types
    """Unfold puts no labels in tables, so a screen reader would announce nameless boxes."""

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **options: Any) -> Any:
        """Label the widget with its field's name."""
        form_field = super().formfield_for_dbfield(db_field, request, **options)
        if form_field:
            form_field.widget.attrs.setdefault("aria-label", str(form_field.label))
        return form_field
