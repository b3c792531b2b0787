"""Rows in the admin whose fields say their name to people who cannot see the column's heading."""

from __future__ import annotations

from typing import Any

from django.db.models import Field
from django.http import HttpRequest
from unfold.admin import TabularInline


class LabelledInline(TabularInline):  # type: ignore[misc]  # unfold has no types
    """Unfold writes no labels in tables, so a screen reader would announce nameless boxes."""

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **options: Any) -> Any:
        """Name the widget after its field."""
        form_field = super().formfield_for_dbfield(db_field, request, **options)
        if form_field:
            form_field.widget.attrs.setdefault("aria-label", str(form_field.label))
        return form_field
