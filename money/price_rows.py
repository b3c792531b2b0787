"""Rows of prices in the admin: amounts are typed there as everywhere else, and the columns keep minor units."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from money.amounts import Money, is_currency
from money.form_fields import DIGITS_OF_A_CHARGE, AmountField


class PriceRowForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """One price. Its limits are checked by the model."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in self._names_of_amounts:
            column = self.fields[name]
            label = str(column.label).removesuffix(" minor")
            self.fields[name] = forms.CharField(
                label=label,
                required=column.required,
                widget=forms.TextInput(
                    attrs={
                        "class": column.widget.attrs.get("class", ""),
                        "aria-label": label,
                        "inputmode": "decimal",
                        "autocomplete": "off",
                    }
                ),
                help_text="In this row’s currency, such as 45.00.",
            )
            minor, currency = self.initial.get(name), self.initial.get("currency", "")
            if minor is not None and is_currency(currency):
                self.initial[name] = str(Money(minor, currency).to_major())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in self._names_of_amounts:
            if name in cleaned:
                try:
                    cleaned[name] = _read_minor(cleaned[name], cleaned.get("currency"))
                except ValidationError as error:
                    self.add_error(name, error)
        return cleaned

    @property
    def _names_of_amounts(self) -> list[str]:
        return [name for name in self.fields if name.endswith("_minor")]


def _read_minor(typed: str, currency: str | None) -> int | None:
    """The amount in minor units, None if nothing was typed. Raises ValidationError."""
    if not currency or not is_currency(currency):
        raise ValidationError("Enter the currency first.")
    amount = AmountField(currency=currency, max_digits=DIGITS_OF_A_CHARGE, required=False).clean(typed)
    return None if amount is None else amount.minor
