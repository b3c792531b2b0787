"""Filters of the audit trail. Their fields are one form above the list, so that they need no JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

from django import forms
from django.apps import apps
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from operations.audit.tracked import tracked_models
from operations.models import Change


class FilterForm(forms.Form):
    """What the trail can be narrowed by. Names of fields are those of the address."""

    who = forms.CharField(label="Person (email)", required=False, max_length=254)
    kind = forms.CharField(label="Kind of object", required=False, max_length=100)
    object = forms.CharField(label="Object's id", required=False, max_length=100)
    request = forms.CharField(label="Request", required=False, max_length=64)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    source = forms.CharField(required=False, max_length=8, widget=forms.HiddenInput)
    emergency = forms.CharField(label="Emergency access", required=False, max_length=18)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        names = [("", "All"), *((label, name_of(label)) for label in tracked_models())]
        self.fields["kind"].widget = forms.Select(choices=names)
        sources = [("", "All"), *Change.Source.choices]
        self.fields["source"].widget = forms.Select(choices=sources)
        self.fields["source"].label = "Through"


def name_of(label: str) -> str:
    """A model's name in words; its label if there is no such model any more."""
    try:
        return str(apps.get_model(label)._meta.verbose_name).capitalize()
    except (LookupError, ValueError):
        return label


class _Filter(SimpleListFilter):
    """One field of the form. Its own place in Unfold's panel is empty."""

    template = "operations/admin/_filter_above.html"

    def has_output(self) -> bool:
        return True

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> tuple[()]:  # noqa: ARG002  # Django's signature
        return ()

    def choices(self, changelist: ChangeList) -> Iterator[Any]:  # noqa: ARG002  # Django's signature
        return iter(())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Change]) -> QuerySet[Change]:  # noqa: ARG002  # Django's signature
        value = (self.value() or "").strip()
        return self.narrow(queryset, value) if value else queryset

    def narrow(self, changes: QuerySet[Change], value: str) -> QuerySet[Change]:
        raise NotImplementedError


class PersonFilter(_Filter):
    title = "person"
    parameter_name = "who"

    def narrow(self, changes: QuerySet[Change], value: str) -> QuerySet[Change]:
        return changes.filter(actor__email=value.lower())


class KindFilter(_Filter):
    title = "kind of object"
    parameter_name = "kind"

    def narrow(self, changes: QuerySet[Change], value: str) -> QuerySet[Change]:
        return changes.filter(model=value)


class ObjectFilter(_Filter):
    title = "object"
    parameter_name = "object"

    def narrow(self, changes: QuerySet[Change], value: str) -> QuerySet[Change]:
        return changes.filter(object_id=value)


class RequestFilter(_Filter):
    title = "request"
    parameter_name = "request"

    def narrow(self, changes: QuerySet[Change], value: str) -> QuerySet[Change]:
        return changes.filter(request_id=value)


class SourceFilter(_Filter):
    title = "source"
    parameter_name = "source"

    def narrow(self, changes: QuerySet[Change], value: str) -> QuerySet[Change]:
        return changes.filter(source=value)


class EmergencyFilter(_Filter):
    title = "emergency access"
    parameter_name = "emergency"

    def narrow(self, changes: QuerySet[Change], value: str) -> QuerySet[Change]:
        is_id = value.isascii() and value.isdigit() and len(value) <= 18  # noqa: PLR2004  # what a bigint holds
        return changes.filter(emergency_access_id=int(value)) if is_id else changes.none()


class SinceFilter(_Filter):
    """From the beginning of a day, in the time zone of the member of staff."""

    title = "from"
    parameter_name = "since"

    def narrow(self, changes: QuerySet[Change], value: str) -> QuerySet[Change]:
        day = _day(value)
        return changes.filter(at__gte=timezone.make_aware(datetime.combine(day, time.min))) if day else changes.none()


class UntilFilter(_Filter):
    """To the end of a day, included."""

    title = "to"
    parameter_name = "until"

    def narrow(self, changes: QuerySet[Change], value: str) -> QuerySet[Change]:
        day = _day(value)
        return changes.filter(at__lte=timezone.make_aware(datetime.combine(day, time.max))) if day else changes.none()


def _day(value: str) -> Any:
    try:
        found = datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no zone
    except ValueError:
        return None
    # The zone may move the first and last days that a datetime can hold out of its range.
    return found if 1970 <= found.year <= 9000 else None  # noqa: PLR2004


FILTERS = (
    PersonFilter, KindFilter, ObjectFilter, RequestFilter, SourceFilter, EmergencyFilter, SinceFilter, UntilFilter,
)  # fmt: skip
