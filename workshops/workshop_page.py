"""The page on which a teacher edits a workshop: one form, its sessions, and a price for each currency of the site."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from workshops.forms import MOST_SESSIONS, PriceForm, SessionFormSet, WorkshopForm, plans_of
from workshops.models import Workshop
from workshops.pairing import SessionPlan
from workshops.publishing import CapacityBelowTaken, NotReadyToPublish, PricePlan

_SESSIONS = "sessions"


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
        initial = {
            name: moment.astimezone(zone).replace(tzinfo=None)
            for name in ("registration_opens_at", "registration_closes_at")
            if (moment := getattr(workshop, name))
        }
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

    def with_more_sessions(self) -> WorkshopEditor:
        """The same page with the values entered so far, not validated, and more empty rows for sessions."""
        more = WorkshopEditor(self.instance)
        more.form = WorkshopForm(instance=self.instance, initial=_typed(self.form))
        typed = [_typed(form) for form in self.session_forms.forms]
        more.session_forms = SessionFormSet(
            prefix=_SESSIONS,
            initial=[row for row in typed if row["day"] or row["starts"] or row["ends"]][:MOST_SESSIONS],
            form_kwargs={"zone": self.form.zone},
        )
        more.price_forms = [
            PriceForm(currency=form.currency, zone=form.zone, initial=_typed(form)) for form in self.price_forms
        ]
        return more

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


def _typed(form: forms.BaseForm) -> dict[str, Any]:
    """The raw values entered into a form."""
    return {name: form[name].data for name, field in form.fields.items() if not isinstance(field, forms.FileField)}
