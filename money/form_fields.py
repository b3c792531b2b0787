"""Form fields for amounts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from money.amounts import InvalidAmount, Money, exponent
from money.limits import CannotBeCharged, limits_of

_DIGITS_AT_MOST = 12


class PriceField(forms.DecimalField):
    """A price in one currency, typed in major units and within what a card can be charged. Its value is Money."""

    def __init__(self, *, currency: str, **options: Any) -> None:
        self.currency = currency
        self.limits = limits_of(currency)
        super().__init__(max_digits=_DIGITS_AT_MOST, decimal_places=exponent(currency), **options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Let browsers check the same limits before anything is sent."""
        return super().widget_attrs(widget) | {
            "min": str(self.limits.least.to_major()),
            "max": str(self.limits.most.to_major()),
            "step": str(self.limits.step.to_major()),
        }

    def prepare_value(self, value: Any) -> Any:
        return value.to_major() if isinstance(value, Money) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> Money | None:
        """The amount that was typed, or None for an empty field. Raises ValidationError."""
        typed = super().clean(value)
        if typed is None:
            return None
        try:
            amount = Money.from_major(typed, self.currency)
            self.limits.check(amount)
        except InvalidAmount as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        except CannotBeCharged as error:
            raise ValidationError(str(error), code="cannot_be_charged") from error
        return amount
