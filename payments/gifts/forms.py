"""The forms of givers and receivers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.names import LONGEST_NAME
from payments.gifts.contracts import GiftWish
from payments.gifts.wishes import LONGEST_MESSAGE, read_wish


class GiftForm(forms.Form):
    """Who it is for, and what they are told."""

    receiver = forms.CharField(label="For", max_length=LONGEST_NAME, help_text="The name of the person you give it to.")
    email = forms.CharField(
        label="Their email address",
        required=False,
        max_length=254,
        widget=forms.EmailInput,
        help_text="We send them the gift. Leave it empty to print it or pass it on yourself.",
    )
    message = forms.CharField(
        required=False, max_length=LONGEST_MESSAGE, help_text="They read it on the page of the gift and on its PDF."
    )
    send_on = forms.DateField(
        label="Send it on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty to send it as soon as you have paid.",
    )
    wish: GiftWish

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            self.wish = read_wish(**{name: cleaned[name] for name in ("receiver", "email", "message", "send_on")})
        except ValidationError as problem:
            self.add_error(None, problem)
        return cleaned
