"""The forms of teachers about payouts, and the field for amounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel import Locale
from django import forms
from django.core.exceptions import ValidationError

from money import Money, exponent
from money.amounts import InvalidAmount
from payments.models import PayoutSchedule
from payments.payouts.accounts import COUNTRIES

_DIGITS_AT_MOST = 15


def country_choices() -> list[tuple[str, str]]:
    """The countries of teachers' accounts, by name."""
    names = Locale("en").territories
    return sorted(((code, str(names[code])) for code in COUNTRIES), key=lambda choice: choice[1])


class AccountForm(forms.Form):
    """Where the teacher's bank account is. Stripe fixes the country of an account for good."""

    country = forms.ChoiceField(
        label="Country of your bank account",
        help_text="Choose with care: it cannot be changed later, only by setting up another account.",
    )

    def __init__(self, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        field = self.fields["country"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # declared just above
        field.choices = [("", "Choose a country"), *country_choices()]


class AmountField(forms.DecimalField):
    """An amount of more than zero in one currency, typed in major units. Its value is Money."""

    def __init__(self, *, currency: str, **options: Any) -> None:
        self.currency = currency
        super().__init__(max_digits=_DIGITS_AT_MOST, decimal_places=exponent(currency), **options)

    def clean(self, value: Any) -> Money | None:
        """The amount that was typed, or None for an empty field. Raises ValidationError."""
        typed = super().clean(value)
        if typed is None:
            return None
        try:
            return Money.from_major(typed, self.currency)
        except InvalidAmount as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class RequestForm(forms.Form):
    """How much of one currency to pay out; all of it if empty."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, available: Money) -> None:
        super().__init__(data, prefix=available.currency)
        self.available = available
        self.fields["amount"] = AmountField(
            currency=available.currency,
            label=f"Amount in {available.currency}",
            required=False,
            help_text=f"Leave it empty for all of {available}.",
        )


class ScheduleForm(forms.Form):
    """How often the teacher is paid."""

    interval = forms.ChoiceField(
        label="Pay me", choices=PayoutSchedule.Interval.choices, widget=forms.RadioSelect, required=True
    )
