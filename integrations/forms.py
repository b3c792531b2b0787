"""The form for a new token."""

from __future__ import annotations

from datetime import timedelta

from django import forms

from accounts.one_line import LineFormField
from integrations.scopes import Scope

_LIFETIMES = {30: "30 days", 90: "90 days", 365: "A year"}


class TokenForm(forms.Form):
    """What a token is for, what it may do, and for how long."""

    name = LineFormField(label="Name", max_length=60, help_text="What it is for: Website, Booking tool.")
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose only what the program needs. Everyone can read the catalogue.",
    )
    days = forms.TypedChoiceField(label="It works for", choices=list(_LIFETIMES.items()), coerce=int, initial=90)

    def clean_scopes(self) -> list[Scope]:
        return [Scope(value) for value in self.cleaned_data["scopes"]]

    @property
    def lifetime(self) -> timedelta:
        """How long the token works. Read it once the form is valid."""
        return timedelta(days=self.cleaned_data["days"])
