"""Model fields of people and what they offer."""

from __future__ import annotations

from typing import Any

from django.db import models

from accounts.form_fields import TimeZoneField
from accounts.places_and_languages import canonical_time_zones, is_time_zone


class ZoneNameField(models.CharField):  # type: ignore[type-arg]  # generic for mypy only, not at run time
    """The name of a time zone. Forms, the admin's too, accept every name; the canonical one is stored."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 50, "validators": [is_time_zone], **options})

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        """Appear in migrations as Django's own field: the column is the same."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.CharField", arguments, options

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        canonical = canonical_time_zones().get(str(value).lower(), value)
        setattr(model_instance, self.attname, canonical)
        return canonical

    def formfield(self, **options: Any) -> Any:
        return super().formfield(**{"form_class": TimeZoneField, **options})
