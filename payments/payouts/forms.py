"""The forms of teachers about payouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel import Locale
from django import forms

from money import Money
from money.form_fields import AmountField
from payments.models import PayoutSchedule
from payments.payouts.accounts import COUNTRIES


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
