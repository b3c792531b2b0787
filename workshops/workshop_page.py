"""The page on which a teacher edits a workshop: one form, its sessions, and a price for each currency of the site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from catalogue.expertise import only_subject_of
from workshops.forms import PriceForm, SessionFormSet, WorkshopForm, plans_of
from workshops.models import Workshop
from workshops.pairing import SessionPlan
from workshops.publishing import CapacityBelowTaken, NotReadyToPublish, PricePlan

_SESSIONS = "sessions"
_FOLDED = {
    "text": "Description, picture and levels",
    "joining": "Link to join, address and time zone",
    "registration": "When registration opens and closes",
}
# Rows are folded away in parts, so that a workshop of 13 sessions opens two of them.
_ROWS_SHOWN_UP_TO = (6, 16)


@dataclass(frozen=True, slots=True)
class FoldedFields:
    """A part of the page that is folded away."""

    heading: str
    fields: Sequence[forms.BoundField]

    @property
    def is_open(self) -> bool:
        return any(field.errors for field in self.fields)


@dataclass(frozen=True, slots=True)
class FoldedSessions:
    """Rows for sessions that are folded away; `first` is the number of the first one."""

    first: int
    rows: Sequence[forms.BaseForm]

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def is_open(self) -> bool:
        return any(row.errors or row["day"].value() for row in self.rows)


class WorkshopEditor:
    """All forms of the page, validated together."""

    def __init__(
        self,
        workshop: Workshop,
        data: QueryDict | None = None,
        files: MultiValueDict[str, UploadedFile[Any]] | None = None,
    ) -> None:
        self.instance = workshop
        self.is_new = not workshop.pk
        # The stored title: validation writes the submitted one to the instance before it is saved.
        self.title = workshop.title
        zone = workshop.zone
        initial: dict[str, Any] = {
            name: moment.astimezone(zone).replace(tzinfo=None)
            for name in ("registration_opens_at", "registration_closes_at")
            if (moment := getattr(workshop, name))
        }
        if self.is_new:
            initial["subject"] = only_subject_of(workshop.teacher)
        self.form = WorkshopForm(data, files, instance=workshop, initial=initial)
        if data is not None:
            # Sessions and prices are read in the zone chosen in the form, so it is validated first.
            self.form.is_valid()
            zone = self.form.zone
        self.session_forms = SessionFormSet(
            data,
            prefix=_SESSIONS,
            initial=None if data is not None else self._stored_sessions(),
            form_kwargs={"zone": zone},
        )
        stored = {} if data is not None else self._stored_prices()
        self.price_forms = [
            PriceForm(data, currency=currency, zone=zone, initial=stored.get(currency))
            for currency in settings.CURRENCIES
        ]

    def is_valid(self) -> bool:
        forms_are_valid = [form.is_valid() for form in (self.form, *self.price_forms)]
        return self.session_forms.is_valid() and all(forms_are_valid)

    @property
    def has_errors(self) -> bool:
        """Whether the submitted page has errors; False before it is submitted."""
        return self.form.is_bound and not self.is_valid()

    def workshop(self) -> Workshop:
        """The workshop as entered, not saved."""
        workshop: Workshop = self.form.save(commit=False)
        return workshop

    def sessions(self) -> list[SessionPlan]:
        return plans_of(self.session_forms)

    def prices(self) -> list[PricePlan]:
        return [plan for form in self.price_forms if (plan := form.plan)]

    def refuse(self, error: CapacityBelowTaken | NotReadyToPublish) -> None:
        """Show why it could not be saved, at the field concerned."""
        self.form.add_error(error.about if error.about in self.form.fields else None, str(error))

    @property
    def folded(self) -> list[FoldedFields]:
        """The parts of the form that are not needed, each open if it holds an error."""
        form = self.form
        return [FoldedFields(heading, form.in_group(group)) for group, heading in _FOLDED.items()]

    @property
    def what(self) -> list[forms.BoundField]:
        return self.form.in_group("what")

    @property
    def where(self) -> list[forms.BoundField]:
        return self.form.in_group("where")

    @property
    def first_session(self) -> forms.BaseForm | None:
        """The row for the session that every workshop needs; None if the submitted rows could not be read."""
        return next(iter(self.session_forms.forms), None)

    @property
    def folded_sessions(self) -> list[FoldedSessions]:
        """The other rows for sessions, in parts, each open if it holds a session."""
        rows = self.session_forms.forms
        ends = [end for end in (1, *_ROWS_SHOWN_UP_TO) if end < len(rows)] + [len(rows)]
        return [FoldedSessions(first + 1, rows[first:end]) for first, end in pairwise(ends)]

    @property
    def are_sessions_open(self) -> bool:
        return any(part.is_open for part in self.folded_sessions)

    @property
    def main_price(self) -> PriceForm:
        """The price asked for first: one that there is, otherwise the one in the site's currency."""
        first = self.price_forms[0]
        return next((form for form in self.price_forms if form["amount"].value()), first)

    @property
    def other_prices(self) -> list[PriceForm]:
        return [form for form in self.price_forms if form is not self.main_price]

    @property
    def are_prices_open(self) -> bool:
        """Whether the part with early-bird prices and other currencies holds something or an error."""
        main = self.main_price
        return bool(
            any(form.errors or form["amount"].value() for form in self.other_prices)
            or main.non_field_errors()
            or main["early_bird"].errors
            or main["early_bird"].value()
            or main["early_bird_until"].errors
        )

    def _stored_sessions(self) -> list[dict[str, Any]]:
        if self.is_new:
            return []
        zone = self.instance.zone
        return [
            {
                "session": session.pk,
                "day": session.starts_at.astimezone(zone).date(),
                "starts": session.starts_at.astimezone(zone).time(),
                "ends": session.ends_at.astimezone(zone).time(),
            }
            for session in self.instance.sessions.all()
        ]

    def _stored_prices(self) -> dict[str, dict[str, Any]]:
        if self.is_new:
            return {}
        zone = self.instance.zone
        return {
            price.currency: {
                "amount": price.amount,
                "early_bird": price.early_bird,
                "early_bird_until": price.early_bird_until
                and price.early_bird_until.astimezone(zone).replace(tzinfo=None),
            }
            for price in self.instance.prices.all()
        }
