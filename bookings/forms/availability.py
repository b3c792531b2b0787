"""A teacher's pause, and the days on which they teach."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from bookings.models import Availability, LessonRequest


class AvailabilityForm(forms.Form):
    """Whether the teacher takes new requests, and for which days."""

    is_paused = forms.BooleanField(
        label="Pause new requests",
        required=False,
        help_text="For a holiday, or when your weeks are full. Requests you already have stay with you.",
    )
    paused_until = forms.DateField(
        label="Until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The first day on which you take requests again. Leave it empty to end the pause yourself.",
    )
    days = forms.MultipleChoiceField(
        label="Days on which you teach",
        choices=LessonRequest.Weekday.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Students who can only come on other days are not sent to you. Tick none if every day is possible.",
    )

    def __init__(self, *args: Any, availability: Availability, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("is_paused", "paused_until", "days"):
            self.initial[name] = getattr(availability, name)

    def clean(self) -> dict[str, Any]:
        data = dict(super().clean() or self.cleaned_data)
        until = data.get("paused_until")
        if until and not data.get("is_paused"):
            self.add_error("is_paused", "Tick this too, or remove the date.")
        if until and until <= timezone.localdate():
            self.add_error("paused_until", "Give a day after today.")
        return data
