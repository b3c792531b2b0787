"""A teacher's answer: times in the teacher's own time zone, a price, and a note to the student."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.fields import BaseTemporalField

from accounts.one_line import LineFormField
from bookings.models import LessonRequest
from bookings.proposals import Proposal
from bookings.rules import LONGEST_LESSON_MINUTES, LONGEST_LINK, SHORTEST_LESSON_MINUTES, SLOTS_AT_MOST
from bookings.slots import NoSuchTime, Slot, slot_at
from money.form_fields import PriceField

_ONLINE, _IN_PERSON = "online", "in_person"
_YEARS = range(2000, 2200)


class WallClockField(BaseTemporalField):
    """A local date and time. Its value has no time zone; the form adds the teacher's."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
            widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
            error_messages={"invalid": "Give a date and a time."},
            **kwargs,
        )

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        typed = cast("datetime", super().to_python(value))
        if typed.year not in _YEARS:
            raise ValidationError("Give a year close to the current one.")
        return typed

    def strptime(self, value: str, format: str) -> datetime:  # noqa: A002  # Django's name
        return datetime.strptime(value, format)  # noqa: DTZ007  # the form adds the zone


def currency_choices() -> list[tuple[str, str]]:
    return [(currency, currency) for currency in settings.CURRENCIES]


class AcceptForm(forms.Form):
    """Times, price and place of the lessons a teacher proposes."""

    minutes = forms.IntegerField(
        label="Length in minutes", min_value=SHORTEST_LESSON_MINUTES, max_value=LONGEST_LESSON_MINUTES, initial=60
    )
    # Read together with the currency.
    price = forms.CharField(
        label="Price of each lesson",
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    currency = forms.ChoiceField(choices=currency_choices)
    where = forms.ChoiceField(
        label="Where", choices=[(_ONLINE, "Online"), (_IN_PERSON, "In person")], widget=forms.RadioSelect
    )
    meeting_url = forms.URLField(
        label="Link to join",
        max_length=LONGEST_LINK,
        required=False,
        assume_scheme="https",
        help_text="For lessons online. You can add it later; the student sees it once the lesson is paid.",
    )
    place = LineFormField(label="Place", max_length=200, required=False, help_text="For lessons in person.")
    note = forms.CharField(
        label="Note to the student", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    propose_anyway = forms.BooleanField(
        label="Propose these times although they overlap", required=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, lesson_request: LessonRequest, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.slots: list[Slot] = []
        for number in range(1, SLOTS_AT_MOST + 1):
            self.fields[f"time_{number}"] = WallClockField(label=f"Time {number}", required=number == 1)
        self._suggest(lesson_request)

    @property
    def time_fields(self) -> list[forms.BoundField]:
        """The inputs for the times, which the page shows as a group."""
        return [self[name] for name in self.fields if name.startswith("time_")]

    @property
    def other_fields(self) -> list[forms.BoundField]:
        """Everything else the teacher fills in."""
        return [field for field in self.visible_fields() if not field.name.startswith("time_")]

    @property
    def proposal(self) -> Proposal:
        """The proposal entered in a valid form."""
        data = self.cleaned_data
        is_online = data["where"] == _ONLINE
        return Proposal(
            slots=self.slots,
            price=data["money"],
            is_online=is_online,
            meeting_url=data["meeting_url"] if is_online else "",
            place="" if is_online else data["place"],
            note=data["note"],
        )

    def ask_about_overlaps(self) -> None:
        """Show the checkbox that confirms times which overlap other lessons."""
        self.fields["propose_anyway"].widget = forms.CheckboxInput()

    def clean(self) -> dict[str, Any]:
        data = dict(super().clean() or self.cleaned_data)
        if data.get("price") is not None and data.get("currency"):
            try:
                data["money"] = PriceField(currency=data["currency"]).clean(data["price"])
            except ValidationError as error:
                self.add_error("price", error)
        if data.get("where") == _IN_PERSON and not data.get("place"):
            self.add_error("place", "Say where the lesson takes place.")
        if data.get("minutes"):
            self._read_slots(data)
        return data

    def _read_slots(self, data: dict[str, Any]) -> None:
        for name in [name for name in self.fields if name.startswith("time_")]:
            typed = data.get(name)
            if typed is None:
                continue
            try:
                self.slots.append(slot_at(day=typed.date(), at=typed.time(), minutes=data["minutes"], zone=self.zone))
            except NoSuchTime as error:
                self.add_error(name, str(error))

    def _suggest(self, lesson_request: LessonRequest) -> None:
        in_person = lesson_request.meeting == LessonRequest.Meeting.IN_PERSON
        self.initial.setdefault("where", _IN_PERSON if in_person else _ONLINE)
        offer = lesson_request.offer
        if offer:
            self.initial.setdefault("minutes", offer.minutes)
            self.initial.setdefault("place", offer.place)
            prices = sorted(offer.prices.all(), key=lambda price: price.currency != settings.DEFAULT_CURRENCY)
            price = next(iter(prices), None)
            if price:
                self.initial.setdefault("price", price.amount.to_major())
                self.initial.setdefault("currency", price.currency)


class DeclineForm(forms.Form):
    """An optional note to the student."""

    note = forms.CharField(
        label="Note to the student", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class PassOnForm(DeclineForm):
    """An optional note to staff, since the request goes to another teacher."""

    note = forms.CharField(
        label="Why it does not suit you",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For our team; the student does not see it.",
    )


class MeetingForm(forms.Form):
    """The link of a lesson online."""

    meeting_url = forms.URLField(label="Link to join", max_length=LONGEST_LINK, assume_scheme="https")
