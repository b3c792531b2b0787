"""Forms for students and teachers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone
from django.utils import timezone

from accounts.canonical_addresses import AddressField
from accounts.form_fields import TimeZoneField
from accounts.names import NameField
from accounts.places_and_languages import languages
from catalogue.models import Level, Subject
from money.form_fields import PriceField
from uploads.form_fields import PictureFormField
from uploads.pictures import COVER
from workshops.models import LARGEST_CAPACITY, LONGEST_LINK, Workshop, refuse_long_session
from workshops.pairing import SessionPlan, refuse_overlaps
from workshops.participants import NAME_LENGTH, Participant
from workshops.pasted_people import PastedPeopleField
from workshops.publishing import PricePlan

MOST_SESSIONS = 30
_YEARS_AHEAD = 10
# How the page arranges the fields of a workshop. The parts after `where` are folded away.
GROUPS = {
    "what": ["title", "subject", "summary"],
    "where": ["place", "capacity", "is_online"],
    "text": ["description", "cover", "levels", "language"],
    "joining": ["online_url", "address", "time_zone"],
    "registration": ["registration_opens_at", "registration_closes_at"],
}


class PlacesForm(forms.Form):
    """The number of places to buy."""

    quantity = forms.TypedChoiceField(label="Places", coerce=int)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, places_at_most: int, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        field = self.fields["quantity"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101  # declared just above
        field.choices = [(number, str(number)) for number in range(1, places_at_most + 1)]


class ParticipantForm(forms.Form):
    """The participant of one place; may be left empty."""

    name = NameField(max_length=NAME_LENGTH, required=False)
    email = AddressField(label="Email", required=False, help_text="Their ticket is sent there.")


class ParticipantNameForm(forms.Form):
    """Who comes with a ticket that is bought already."""

    name = NameField(label="Who is coming", max_length=NAME_LENGTH)


class ParticipantForms:
    """One ParticipantForm for each place. Their number is the quantity, never a count sent by the browser."""

    def __init__(
        self, quantity: int, data: Mapping[str, Any] | None = None, *, known: Sequence[Participant] = ()
    ) -> None:
        initial = [{"name": person.name, "email": person.email} for person in known][:quantity]
        initial += [{}] * (quantity - len(initial))
        self.forms = [
            ParticipantForm(data, prefix=f"place-{place}", initial=person) for place, person in enumerate(initial, 1)
        ]

    def is_valid(self) -> bool:
        # Validates every form, so that all errors are shown at once.
        results = [form.is_valid() for form in self.forms]
        return all(results)

    @property
    def participants(self) -> list[Participant]:
        """The participant of each place, empty where no one is named."""
        return [Participant(form.cleaned_data["name"], form.cleaned_data["email"]) for form in self.forms]


class PastedPeopleForm(forms.Form):
    """A list of people to fill the places with, instead of typing each name."""

    list_of_people = PastedPeopleField(
        label="Paste a list of names",
        required=False,
        help_text="One person per line, with or without an email address: Ada Lovelace, ada@example.org. "
        "They fill the places that are empty above.",
    )

    def fill(self, named: Sequence[Participant], *, at_most: int) -> list[Participant]:
        """Everyone named: those above stay in their places, and the pasted people fill the empty ones and more.

        Returns nothing and adds an error if there are more people than `at_most`.
        """
        pasted = iter(self.cleaned_data["list_of_people"])
        everyone = [person if person.name or person.email else next(pasted, person) for person in named]
        everyone += list(pasted)
        if len(everyone) > at_most:
            self.add_error(
                "list_of_people",
                f"You named {len(everyone)} people, and one order has at most {at_most} places. Order again for the others.",
            )
            return []
        return everyone


class WallClockField(forms.DateTimeField):
    """A local date and time. Its value has no time zone; the form adds the workshop's."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, required=False, **kwargs)

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(UTC):
            moment = super().to_python(value)
        return moment.replace(tzinfo=None) if moment else None


class WorkshopForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """The workshop without its sessions and prices. All times are in its own zone, which is a field of the form."""

    subject = forms.ModelChoiceField(Subject.objects.all(), empty_label="Choose a subject")
    language = forms.ChoiceField(choices=languages)
    levels = forms.MultipleChoiceField(choices=Level.choices, required=False, widget=forms.CheckboxSelectMultiple)
    time_zone = TimeZoneField(help_text="All times on this page are in this zone.")
    online_url = forms.URLField(
        label="Link to join",
        max_length=LONGEST_LINK,
        required=False,
        assume_scheme="https",
        help_text="Shown only to registered people.",
    )
    capacity = forms.IntegerField(label="Places", min_value=1, max_value=LARGEST_CAPACITY)
    cover = PictureFormField(
        shape=COVER,
        label="Picture",
        required=False,
        help_text="JPEG, PNG or WebP, up to 5 MB. Wide pictures look best.",
    )
    registration_opens_at = WallClockField(label="Registration opens", help_text="Leave empty to open it immediately.")
    registration_closes_at = WallClockField(
        label="Registration closes", help_text="Leave empty to close it when the first session starts."
    )

    class Meta:
        model = Workshop
        fields = [
            "title",
            "summary",
            "description",
            "cover",
            "subject",
            "levels",
            "language",
            "is_online",
            "online_url",
            "place",
            "address",
            "time_zone",
            "capacity",
            "registration_opens_at",
            "registration_closes_at",
        ]
        widgets = {
            "summary": forms.Textarea(attrs={"rows": 2}),
            "address": forms.Textarea(attrs={"rows": 3}),
        }

    def in_group(self, group: str) -> list[forms.BoundField]:
        """The fields of one part of the page; the needed ones are in the first two."""
        return [self[name] for name in GROUPS[group]]

    @property
    def zone(self) -> ZoneInfo:
        """The zone chosen in this form if it is valid, otherwise the workshop's current zone."""
        return ZoneInfo(getattr(self, "cleaned_data", {}).get("time_zone") or self.instance.time_zone)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("registration_opens_at", "registration_closes_at"):
            if cleaned.get(name):
                try:
                    cleaned[name] = moment_in(self.zone, cleaned[name])
                except ValidationError as error:
                    self.add_error(name, error)
        opens_at, closes_at = cleaned.get("registration_opens_at"), cleaned.get("registration_closes_at")
        if opens_at and closes_at and opens_at >= closes_at:
            self.add_error("registration_closes_at", "Registration must close after it opens.")
        return cleaned


class SessionForm(forms.Form):
    """One session: its day, start and end, which may be after midnight. An empty form is ignored."""

    # Which stored session the row shows, so that it stays the same one when its times change.
    session = forms.IntegerField(required=False, widget=forms.HiddenInput)
    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    starts = forms.TimeField(widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    ends = forms.TimeField(widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        day, starts, ends = cleaned.get("day"), cleaned.get("starts"), cleaned.get("ends")
        if day and starts and ends:
            starts_at = moment_in(self.zone, datetime.combine(day, starts))
            last_day = day if ends > starts else day + timedelta(days=1)
            ends_at = moment_in(self.zone, datetime.combine(last_day, ends))
            refuse_long_session(starts_at, ends_at)
            cleaned["plan"] = SessionPlan(starts_at=starts_at, ends_at=ends_at, session_id=cleaned.get("session"))
        return cleaned

    def has_changed(self) -> bool:
        return bool(set(self.changed_data) - {"session"})


class BaseSessionFormSet(forms.BaseFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    """The sessions of one workshop; emptied rows are removed."""

    def _construct_form(self, i: int, **kwargs: Any) -> SessionForm:
        form: SessionForm = super()._construct_form(i, **kwargs | {"empty_permitted": True})  # type: ignore[misc]  # missing in the stubs
        return form

    def clean(self) -> None:
        refuse_overlaps(plans_of(self))


def plans_of(sessions: forms.BaseFormSet[SessionForm]) -> list[SessionPlan]:
    """The valid sessions in chronological order."""
    valid = [form.cleaned_data for form in sessions.forms if form.is_valid()]
    return sorted((cleaned["plan"] for cleaned in valid if "plan" in cleaned), key=lambda plan: plan.starts_at)


SessionFormSet = forms.formset_factory(
    SessionForm,
    formset=BaseSessionFormSet,
    # All rows at once, the later ones folded away: asking the server for more would drop the picture just chosen.
    extra=MOST_SESSIONS,
    max_num=MOST_SESSIONS,
    absolute_max=MOST_SESSIONS,
    validate_max=True,
)


class PriceForm(forms.Form):
    """The price of a place in one currency. If left empty, the workshop is not sold in that currency."""

    early_bird_until = WallClockField(label="Early bird until")

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        currency: str,
        zone: ZoneInfo,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, prefix=f"price-{currency}", initial=initial)
        self.currency = currency
        self.zone = zone
        self.fields |= {
            "amount": PriceField(currency=currency, label=f"Price in {currency}", required=False),
            "early_bird": PriceField(currency=currency, label="Early-bird price", required=False),
        }
        self.order_fields(["amount", "early_bird", "early_bird_until"])

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if self.errors:
            return cleaned
        amount, early_bird, until = cleaned["amount"], cleaned["early_bird"], cleaned["early_bird_until"]
        if (early_bird is None) != (until is None):
            raise ValidationError("An early-bird price needs both its amount and its end.")
        if early_bird is not None and (amount is None or early_bird >= amount):
            raise ValidationError("The early-bird price must be lower than the price.")
        if until is not None:
            cleaned["early_bird_until"] = moment_in(self.zone, until)
        return cleaned

    @property
    def plan(self) -> PricePlan | None:
        """The price; None if the workshop is not sold in this currency."""
        cleaned = self.cleaned_data
        if cleaned["amount"] is None:
            return None
        return PricePlan(
            amount=cleaned["amount"],
            early_bird=cleaned["early_bird"],
            early_bird_until=cleaned["early_bird_until"],
        )


def moment_in(zone: ZoneInfo, wall_clock: datetime) -> datetime:
    """The moment at which clocks in `zone` show this local time.

    Raises ValidationError for times that a clock change skips or repeats, and for years far away.
    """
    this_year = timezone.now().year
    if not this_year - 1 <= wall_clock.year <= this_year + _YEARS_AHEAD:
        raise ValidationError(f"Choose a date within the next {_YEARS_AHEAD} years.")
    with timezone.override(zone):
        return from_current_timezone(wall_clock)
