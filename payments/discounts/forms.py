"""The form in which teachers make codes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Teacher
from catalogue.models import Listing
from money import Money
from money.amounts import is_currency
from money.form_fields import AmountField
from payments.discounts.making import TeachersCode
from payments.discounts.words import label_of


class TeachersCodeForm(forms.Form):
    """A percentage or an amount, for all that the teacher sells or for one thing of it."""

    code = forms.CharField(max_length=60, help_text="What students type, such as SPRING-10. Capitals do not matter.")
    percent = forms.DecimalField(
        label="Percentage",
        required=False,
        min_value=Decimal("0.01"),
        max_value=100,
        decimal_places=2,
        help_text="Off the price, from 0.01 to 100. Or give an amount below.",
    )
    amount = forms.CharField(
        label="Amount", required=False, max_length=20, help_text="Off the whole order, such as 5.00."
    )
    least_spend = forms.CharField(
        label="Least spend", required=False, max_length=20, help_text="How much of what the code is for must be bought."
    )
    currency = forms.ChoiceField(help_text="Of both amounts. An amount is taken off orders in this currency only.")
    applies_to = forms.ChoiceField(label="For", required=False)
    last_day = forms.DateField(
        label="Last day", required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text="It ends with it."
    )
    total_limit = forms.IntegerField(label="Uses in all", required=False, min_value=1, max_value=1_000_000)
    student_limit = forms.IntegerField(label="Uses by one student", required=False, min_value=1, max_value=1000)
    is_stackable = forms.BooleanField(label="Can be combined with other such codes", required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, teacher: Teacher, **options: Any) -> None:
        super().__init__(data, **options)
        listings = Listing.objects.filter(teacher=teacher).order_by("domain", "title")
        domains = sorted({listing.domain for listing in listings})
        self.fields["currency"].choices = [(code, code) for code in settings.CURRENCIES]  # type: ignore[attr-defined]
        self.fields["currency"].initial = settings.DEFAULT_CURRENCY
        self.fields["applies_to"].choices = [  # type: ignore[attr-defined]
            ("", "Everything you teach"),
            *((f"{domain}:", f"Each {label_of(domain).lower()}") for domain in domains),
            *((f"{each.domain}:{each.reference}", each.title) for each in listings),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("amount", "least_spend"):
            cleaned[name] = self._read(name, cleaned.get(name), cleaned.get("currency", ""))
        if cleaned.get("percent") and cleaned["amount"]:
            self.add_error("amount", "Give a percentage or an amount, not both.")
        elif not cleaned.get("percent") and not cleaned["amount"] and not self.errors:
            self.add_error("percent", "Give a percentage or an amount.")
        last_day = cleaned.get("last_day")
        if last_day and last_day < timezone.localdate():
            self.add_error("last_day", "This day is over.")
        return cleaned

    def _read(self, name: str, typed: str | None, currency: str) -> Money | None:
        if not typed or not is_currency(currency):
            return None
        try:
            amount = AmountField(currency=currency, max_digits=12).clean(typed)
        except ValidationError as error:
            self.add_error(name, error)
            return None
        if amount is not None and amount.minor <= 0:
            self.add_error(name, "Give more than zero.")
            return None
        return amount

    def to_code(self) -> TeachersCode:
        """What was chosen."""
        data = self.cleaned_data
        domain, _, reference = data["applies_to"].partition(":")
        percent, last_day = data.get("percent"), data.get("last_day")
        return TeachersCode(
            code=data["code"],
            percent_bps=int(percent * 100) if percent else None,
            off=data["amount"],
            least_spend=data["least_spend"],
            domain=domain,
            reference=reference,
            ends_at=timezone.make_aware(datetime.combine(last_day + timedelta(days=1), time.min)) if last_day else None,
            total_limit=data["total_limit"],
            student_limit=data["student_limit"],
            is_stackable=data["is_stackable"],
        )
