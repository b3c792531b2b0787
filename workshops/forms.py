"""What students and teachers fill in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone
from django.utils import timezone

from accounts.form_fields import TimeZoneField
from accounts.places_and_languages import languages
from catalogue.models import Level
from money.form_fields import PriceField
from uploads.form_fields import PictureFormField
from uploads.pictures import COVER
from workshops.models import LARGEST_CAPACITY, Workshop
from workshops.participants import NAME_LENGTH, Participant
from workshops.publishing import PricePlan, SessionPlan

MOST_SESSIONS = 30
_YEARS_AHEAD = 10


class PlacesForm(forms.Form):
    """How many places somebody wants."""

    quantity = forms.TypedChoiceField(label="Places", coerce=int)

    def __init__(self, data: Mapping[str, Any] | None = None, *, places_at_most: int) -> None:
        super().__init__(data)
        field = self.fields["quantity"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101  # declared just above
        field.choices = [(number, str(number)) for number in range(1, places_at_most + 1)]


class ParticipantForm(forms.Form):
    """Who one place is for; empty is allowed."""

    name = forms.CharField(max_length=NAME_LENGTH, required=False)
    email = forms.EmailField(label="E-mail", required=False, help_text="Their ticket is sent there.")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise ValidationError("The name contains characters that cannot be shown.")
        return name


class ParticipantForms:
    """One ParticipantForm for each place. Their number comes from the quantity, not from what the browser claims."""

    def __init__(
        self, quantity: int, data: Mapping[str, Any] | None = None, *, known: Sequence[Participant] = ()
    ) -> None:
        initial = [{"name": person.name, "email": person.email} for person in known][:quantity]
        initial += [{}] * (quantity - len(initial))
        self.forms = [
            ParticipantForm(data, prefix=f"place-{place}", initial=person) for place, person in enumerate(initial, 1)
        ]

    def is_valid(self) -> bool:
        # Judges each of them, so that all show their errors at once.
        verdicts = [form.is_valid() for form in self.forms]
        return all(verdicts)

    @property
    def participants(self) -> list[dict[str, str]]:
        """As an item's details hold them."""
        return [{"name": form.cleaned_data["name"], "email": form.cleaned_data["email"]} for form in self.forms]


class WallClockField(forms.DateTimeField):
    """A date and time as a clock on the workshop's wall shows it; its value has no zone until the form knows which."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, required=False, **kwargs)

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(UTC):
            moment = super().to_python(value)
        return moment.replace(tzinfo=None) if moment else None


class WorkshopForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A workshop itself. All times are written in its own zone, which is part of the form."""

    subject: forms.ModelChoiceField[Any]
    language = forms.ChoiceField(choices=languages)
    levels = forms.MultipleChoiceField(choices=Level.choices, required=False, widget=forms.CheckboxSelectMultiple)
    time_zone = TimeZoneField(help_text="All times on this page are in this zone.")
    online_url = forms.URLField(
        label="Link to join",
        max_length=200,
        required=False,
        assume_scheme="https",
        help_text="Shown to registered people only.",
    )
    capacity = forms.IntegerField(label="Places", min_value=1, max_value=LARGEST_CAPACITY)
    cover = PictureFormField(
        shape=COVER,
        label="Picture",
        required=False,
        help_text="JPEG, PNG or WebP, up to 5 MB. Wide pictures look best.",
    )
    registration_opens_at = WallClockField(label="Registration opens", help_text="Empty: at once.")
    registration_closes_at = WallClockField(
        label="Registration closes", help_text="Empty: when the first session starts."
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

    @property
    def zone(self) -> ZoneInfo:
        """The zone chosen in this form if it is a valid one, else the one the workshop had."""
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
    """One session: a day, and from when to when. Left empty, it is no session."""

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
            if ends <= starts:
                raise ValidationError("It must end after it starts. Make two sessions of what runs past midnight.")
            cleaned["plan"] = SessionPlan(
                starts_at=moment_in(self.zone, datetime.combine(day, starts)),
                ends_at=moment_in(self.zone, datetime.combine(day, ends)),
            )
        return cleaned


class BaseSessionFormSet(forms.BaseFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    """The sessions of one workshop; emptied rows are dropped."""

    def _construct_form(self, i: int, **kwargs: Any) -> SessionForm:
        form: SessionForm = super()._construct_form(i, **kwargs | {"empty_permitted": True})  # type: ignore[misc]  # missing in the stubs
        return form

    def clean(self) -> None:
        plans = plans_of(self)
        for earlier, later in pairwise(plans):
            if later.starts_at < earlier.ends_at:
                raise ValidationError("Two sessions overlap.")


def plans_of(sessions: forms.BaseFormSet[SessionForm]) -> list[SessionPlan]:
    """The valid sessions in order of time."""
    judged = [form.cleaned_data for form in sessions.forms if form.is_valid()]
    return sorted((cleaned["plan"] for cleaned in judged if "plan" in cleaned), key=lambda plan: plan.starts_at)


SessionFormSet = forms.formset_factory(
    SessionForm,
    formset=BaseSessionFormSet,
    extra=3,
    max_num=MOST_SESSIONS,
    absolute_max=MOST_SESSIONS,
    validate_max=True,
)


class PriceForm(forms.Form):
    """The price of a place in one currency. Left empty, it is not sold in that currency."""

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
            "amount": PriceField(currency=currency, label="Price", required=False),
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
        """The price, or None if it is not sold in this currency."""
        cleaned = self.cleaned_data
        if cleaned["amount"] is None:
            return None
        return PricePlan(
            amount=cleaned["amount"],
            early_bird=cleaned["early_bird"],
            early_bird_until=cleaned["early_bird_until"],
        )


def moment_in(zone: ZoneInfo, wall_clock: datetime) -> datetime:
    """The instant a wall clock in `zone` shows this.

    Raises ValidationError for hours that a change to or from summer time skips or repeats, and for years far away.
    """
    this_year = timezone.now().year
    if not this_year - 1 <= wall_clock.year <= this_year + _YEARS_AHEAD:
        raise ValidationError(f"Choose a date within the next {_YEARS_AHEAD} years.")
    with timezone.override(zone):
        return from_current_timezone(wall_clock)
