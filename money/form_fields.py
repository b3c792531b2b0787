"""Form fields for amounts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from money.amounts import InvalidAmount, Money, exponent
from money.limits import CannotBeCharged, limits_of
from money.typed_amounts import read_amount

# Of amounts that are charged or refunded; the sums of many may have more.
DIGITS_OF_A_CHARGE = 12
_DIGITS_OF_A_SUM = 15


class AmountField(forms.DecimalField):
    """An amount in one currency, typed in major units in any usual way. Its value is Money, or None if left empty."""

    # Not a number input: browsers take only their own decimal mark there, and no "CHF 45.50".
    widget = forms.TextInput

    def __init__(self, *, currency: str, max_digits: int = _DIGITS_OF_A_SUM, **options: Any) -> None:
        self.currency = currency
        super().__init__(max_digits=max_digits, decimal_places=exponent(currency), **options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Show the keypad of digits on phones."""
        return super().widget_attrs(widget) | {"inputmode": "decimal", "autocomplete": "off"}

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return read_amount(str(value), self.currency)
        except InvalidAmount as error:
            raise ValidationError(str(error), code="invalid") from error

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
        except InvalidAmount as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        self.check_amount(amount)
        return amount

    def check_amount(self, amount: Money) -> None:
        """Raise ValidationError for an amount that is not possible here."""


class PriceField(AmountField):
    """A price within what a card can be charged."""

    def __init__(self, *, currency: str, **options: Any) -> None:
        self.limits = limits_of(currency)
        super().__init__(currency=currency, max_digits=DIGITS_OF_A_CHARGE, **options)

    def check_amount(self, amount: Money) -> None:
        try:
            self.limits.check(amount)
        except CannotBeCharged as error:
            raise ValidationError(str(error), code="cannot_be_charged") from error
