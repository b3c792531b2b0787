"""Forms for browsing the catalogue, and for teachers to enter what they teach."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator

from accounts.folding import by_name
from accounts.places_and_languages import languages
from catalogue.models import Level, Listing, Subject
from money.form_fields import DIGITS_OF_A_CHARGE, AmountField

# Other years are typing errors, and some of them cannot be converted between time zones.
_YEARS = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2100, 12, 31))]
ANYTHING = ("", "Anything")
_PLAIN_ERRORS = {
    "kind": "There is no such kind of offer.",
    "subject": "There is no such subject.",
    "level": "There is no such level.",
    "where": "Choose online or in person.",
    "from_date": "Enter a date such as 2027-01-31.",
    "to_date": "Enter a date such as 2027-01-31.",
    "currency": "Nothing is sold in this currency.",
    "language": "Nothing is taught in this language.",
    "sort": "Choose one of the orders in the list.",
}


class _DateInput(forms.DateInput):
    input_type = "date"


class BrowseForm(forms.Form):
    """Filters of the browse page. Every field may be empty; an invalid one shows a message and is ignored.

    Prices are compared in the visitor's currency; `currency` only selects listings that are sold in it.
    """

    q = forms.CharField(label="Search", max_length=200, required=False)
    kind = forms.ChoiceField(label="Kind", required=False)
    subject = forms.ModelChoiceField(
        Subject.objects.none(), to_field_name="slug", required=False, empty_label="Any subject"
    )
    level = forms.ChoiceField(label="Level", choices=[("", "Any level"), *Level.choices], required=False)
    where = forms.ChoiceField(
        label="Where",
        choices=[("", "Anywhere"), ("online", "Online"), ("in-person", "In person")],
        required=False,
    )
    place = forms.CharField(label="Town or place", max_length=120, required=False)
    from_date = forms.DateField(
        label="First day", required=False, validators=_YEARS, widget=_DateInput(format="%Y-%m-%d")
    )
    to_date = forms.DateField(label="Last day", required=False, validators=_YEARS, widget=_DateInput(format="%Y-%m-%d"))
    currency = forms.ChoiceField(label="Sold in", required=False)
    # Declared for their place among the fields; the currency is known with the request.
    min_price: forms.Field = forms.CharField()
    max_price: forms.Field = forms.CharField()
    language = forms.ChoiceField(label="Language", required=False)
    teacher = forms.CharField(label="Teacher", max_length=100, required=False)
    sort = forms.ChoiceField(
        label="Sort by",
        choices=[
            ("", "Recommended"),
            ("soonest", "Soonest"),
            ("newest", "Newest"),
            ("cheapest", "Price, low to high"),
            ("dearest", "Price, high to low"),
        ],
        required=False,
    )

    def __init__(self, *args: Any, display_currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.display_currency = display_currency
        for name, label in (("min_price", "Lowest price"), ("max_price", "Highest price")):
            self.fields[name] = AmountField(
                currency=display_currency, max_digits=DIGITS_OF_A_CHARGE, label=label, required=False
            )
        self._choose(
            "kind", [ANYTHING, *Listing.objects.order_by("kind_label").values_list("domain", "kind_label").distinct()]
        )
        offered = set(Listing.objects.order_by().values_list("language", flat=True).distinct())
        self._choose("language", [("", "Any language"), *(pair for pair in languages() if pair[0] in offered)])
        self._choose("currency", [("", "Any currency"), *((code, code) for code in settings.CURRENCIES)])
        subjects = self.fields["subject"]
        assert isinstance(subjects, forms.ModelChoiceField)  # noqa: S101  # for mypy: the class body declares it
        subjects.queryset = Subject.objects.all()
        named = sorted(subjects.queryset, key=lambda subject: by_name(subject.name))
        subjects.choices = [("", "Any subject"), *((subject.slug, subject.name) for subject in named)]
        for name, message in _PLAIN_ERRORS.items():
            self.fields[name].error_messages |= {"invalid": message, "invalid_choice": message}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._refuse_reversed("min_price", "max_price", cleaned, "The highest price is below the lowest price.")
        self._refuse_reversed("from_date", "to_date", cleaned, "The last day is before the first day.")
        return cleaned

    def _refuse_reversed(self, low: str, high: str, cleaned: dict[str, Any], message: str) -> None:
        if cleaned.get(low) is not None and cleaned.get(high) is not None and cleaned[high] < cleaned[low]:
            self.add_error(high, message)

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # for mypy: the class body declares it
        field.choices = choices


class ExpertiseForm(forms.Form):
    """A subject and the levels at which it is taught."""

    subject = forms.ModelChoiceField(Subject.objects.all(), empty_label="Choose a subject")
    levels = forms.MultipleChoiceField(choices=Level.choices, widget=forms.CheckboxSelectMultiple)
