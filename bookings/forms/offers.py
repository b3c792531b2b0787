"""A teacher's lesson offer, with one price field per currency of the site."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from accounts.places_and_languages import languages
from bookings.models import LessonOffer
from catalogue.models import Level, Subject
from money import Money
from money.form_fields import PriceField

_MARKDOWN_HELP = "You may use Markdown: **bold**, *italic*, lists and [links](https://example.org)."


class OfferForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy only, not at run time
    """The offer's text and prices."""

    subject = forms.ModelChoiceField(Subject.objects.all(), empty_label="Choose a subject")
    levels = forms.MultipleChoiceField(choices=Level.choices, widget=forms.CheckboxSelectMultiple)
    language = forms.ChoiceField(choices=languages, initial="en")
    description = forms.CharField(
        max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 8}), help_text=_MARKDOWN_HELP
    )

    class Meta:
        model = LessonOffer
        fields = ("title", "subject", "levels", "description", "minutes", "language", "is_online", "place")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        saved = {price.currency: price.amount for price in self.instance.prices.all()} if self.instance.pk else {}
        help_text = "The usual price of one lesson. You name the final price when you answer a request."
        for position, currency in enumerate(settings.CURRENCIES):
            self.fields[f"price_{currency.lower()}"] = PriceField(
                currency=currency,
                label=f"Price in {currency}",
                required=False,
                initial=saved.get(currency),
                help_text="" if position else help_text,
            )

    def clean(self) -> dict[str, Any]:
        data = dict(super().clean() or self.cleaned_data)
        has_price_errors = any(name.startswith("price_") for name in self.errors)
        if not has_price_errors and not self._prices_in(data):
            raise forms.ValidationError("Give a price in at least one currency.")
        return data

    @property
    def prices(self) -> list[Money]:
        """The prices entered in a valid form."""
        return self._prices_in(self.cleaned_data)

    def _prices_in(self, data: dict[str, Any]) -> list[Money]:
        typed = [data.get(f"price_{currency.lower()}") for currency in settings.CURRENCIES]
        return [price for price in typed if price is not None]
