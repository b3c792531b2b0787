"""A form field that people fill in percent and the database keeps in basis points."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

_DECIMAL: Final = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


class PercentField(forms.DecimalField):
    """Percent from 0 to 100 with at most two decimals; cleaned to basis points, 7.5 becomes 750."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=100, decimal_places=2, **options)

    def to_python(self, value: Any) -> Any:
        """Read also a percent sign and a decimal comma, but no exponents."""
        if not isinstance(value, str):
            return super().to_python(value)
        typed = value.replace("%", "").replace(",", ".").strip()
        if typed and not _DECIMAL.fullmatch(typed):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(typed)

    def clean(self, value: Any) -> Any:
        percent = super().clean(value)
        return None if percent is None else int(percent * 100)

    def prepare_value(self, value: Any) -> Any:
        """Stored basis points as percent; what was typed as it was typed."""
        return f"{value / 100:g}" if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(None if initial is None else Decimal(initial) / 100, data)
