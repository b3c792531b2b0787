"""Workshops in the admin: staff correct texts, put workshops on and off sale, and look up tickets."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from accounts.labelled_inline import LabelledInline
from accounts.models import User
from accounts.sold_admin import SoldAdmin, Tables
from jobs.read_only_admin import ReadOnlyAdmin
from money import Money
from money.price_rows import PriceRowForm
from payments.cancellations.sales import sold_of
from payments.forms import CancellationForm
from workshops import DOMAIN
from workshops.cancelling import NeverPublished, cancel_workshop
from workshops.models import Registration, Workshop, WorkshopPrice, WorkshopSession
from workshops.pairing import SessionPlan, refuse_overlaps
from workshops.publishing import (
    CapacityBelowTaken,
    NotReadyToPublish,
    PricePlan,
    make_room_for_capacity,
    publish_workshop,
    save_workshop,
    withdraw_workshop,
)


class WorkshopAdminForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Refuses a capacity below the number of taken places with a message, before the database does."""

    def clean_capacity(self) -> int:
        capacity: int = self.cleaned_data["capacity"]
        if self.instance.pk:
            try:
                make_room_for_capacity(workshop_id=self.instance.pk, capacity=capacity)
            except CapacityBelowTaken as error:
                raise ValidationError(str(error)) from None
        return capacity


class SessionFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    """The sessions of one workshop, which must not overlap."""

    def clean(self) -> None:
        super().clean()
        rows = [form.cleaned_data for form in self.forms if form.is_valid() and not form.cleaned_data.get("DELETE")]
        refuse_overlaps([_session_plan(row) for row in rows if row])


class SessionInline(LabelledInline):
    model = WorkshopSession
    formset = SessionFormSet
    extra = 0


class PriceInline(LabelledInline):
    model = WorkshopPrice
    form = PriceRowForm
    extra = 0


@admin.register(Workshop)
class WorkshopAdmin(SoldAdmin):
    """State changes only through the actions, so that the catalogue is always updated."""

    form = WorkshopAdminForm
    refusals = (CapacityBelowTaken, NotReadyToPublish)
    inlines = (SessionInline, PriceInline)
    list_display = ("title", "teacher", "shown_state", "sold", "capacity", "created_at")
    list_filter = ("state", "is_online", "subject", "created_at")
    list_select_related = ("teacher",)
    search_fields = (
        "title__resembles",
        "slug",
        "teacher__display_name__resembles",
        "teacher__user__email",
        "place__resembles",
    )
    autocomplete_fields = ("teacher",)
    readonly_fields = ("slug", "state", "is_sold_out", "cancel_reason", "created_at", "updated_at")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    actions = ("publish_chosen", "withdraw_chosen", "cancel_chosen")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workshop]:
        confirmed = Q(registrations__state=Registration.State.CONFIRMED)
        workshops: QuerySet[Workshop] = super().get_queryset(request)
        return workshops.annotate(places_sold=Count("registrations", filter=confirmed))

    def save_sold(self, *, sold: Workshop, form: Any, tables: Tables) -> None:
        sessions = [
            _session_plan(row)
            for row in tables.rows_of(WorkshopSession, stored=WorkshopSession.objects.filter(workshop_id=sold.pk))
        ]
        prices = [
            _price_plan(row)
            for row in tables.rows_of(WorkshopPrice, stored=WorkshopPrice.objects.filter(workshop_id=sold.pk))
        ]
        save_workshop(workshop=sold, sessions=sessions, prices=prices)

    def has_delete_permission(self, request: HttpRequest, obj: Workshop | None = None) -> bool:
        """Orders refer to workshops, so staff withdraw them instead."""
        return False

    @display(
        description="State",
        ordering="state",
        label={"published": "success", "draft": "info", "withdrawn": "warning", "cancelled": "danger"},
    )
    def shown_state(self, workshop: Workshop) -> tuple[str, str]:
        return workshop.state, workshop.get_state_display()

    def is_on_site(self, workshop: Workshop) -> bool:
        return workshop.state == Workshop.State.PUBLISHED and workshop.teacher.is_approved

    @display(description="Sold", ordering="places_sold")
    def sold(self, workshop: Workshop) -> int:
        return int(getattr(workshop, "places_sold", 0))

    @action(description="Put on sale", permissions=["change"])
    def publish_chosen(self, request: HttpRequest, chosen: QuerySet[Workshop]) -> None:
        for workshop in chosen:
            try:
                publish_workshop(workshop=workshop)
            except NotReadyToPublish as error:
                messages.error(request, f"{workshop}: {error}")
            else:
                messages.success(request, f"{workshop} is on sale.")

    @action(description="Take off sale", permissions=["change"])
    def withdraw_chosen(self, request: HttpRequest, chosen: QuerySet[Workshop]) -> None:
        for workshop in chosen:
            withdraw_workshop(workshop=workshop)
            messages.success(request, f"{workshop} is off sale.")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("workshops.cancel_workshop"))

    @action(description="Cancel and refund everyone", permissions=["cancel"])
    def cancel_chosen(self, request: HttpRequest, chosen: QuerySet[Workshop]) -> TemplateResponse | None:
        """Show what is refunded, and cancel once that is confirmed with a reason."""
        form = CancellationForm(request.POST if "confirmed" in request.POST else None)
        if form.is_valid():
            self._cancel(request, chosen, form.cleaned_data["reason"])
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Cancel and refund everyone",
            "opts": self.model._meta,
            "form": form,
            "rows": [(workshop, sold_of(domain=DOMAIN, reference=str(workshop.pk))) for workshop in chosen],
        }
        return TemplateResponse(request, "admin/workshops/workshop/cancel_chosen.html", context)

    def _cancel(self, request: HttpRequest, chosen: QuerySet[Workshop], reason: str) -> None:
        for workshop in chosen:
            try:
                cancellation = cancel_workshop(
                    workshop=workshop, reason=reason, requested_by_id=cast("User", request.user).pk
                )
            except NeverPublished:
                messages.error(request, f"{workshop} was never on sale.")
                continue
            self.log_change(request, workshop, f"Cancelled: {reason}")
            link = format_html('<a href="{}">how far the refunds are</a>', cancellation.get_admin_url())
            messages.success(request, format_html("{} is cancelled. See {}.", workshop, link))


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Read-only, because places change only through orders and refunds."""

    list_display = ("participant_name", "participant_email", "workshop", "buyer", "shown_state", "code", "created_at")
    list_filter = ("state", "created_at")
    list_select_related = ("workshop", "buyer")
    search_fields = (
        "code",
        "participant_name__resembles",
        "participant_email",
        "buyer__email",
        "order_number",
        "workshop__title__resembles",
    )
    date_hierarchy = "created_at"

    @display(
        description="State",
        ordering="state",
        label={"confirmed": "success", "held": "info", "released": "warning", "revoked": "danger"},
    )
    def shown_state(self, registration: Registration) -> tuple[str, str]:
        return registration.state, str(registration.state_label)


def _session_plan(row: dict[str, Any]) -> SessionPlan:
    stored = row.get("id")
    # Forms have the stored row where tables have its id.
    session_id = stored.pk if isinstance(stored, WorkshopSession) else stored
    return SessionPlan(starts_at=row["starts_at"], ends_at=row["ends_at"], session_id=session_id)


def _price_plan(row: dict[str, Any]) -> PricePlan:
    early_bird = row.get("early_bird_amount_minor")
    return PricePlan(
        amount=Money(row["amount_minor"], row["currency"]),
        early_bird=None if early_bird is None else Money(early_bird, row["currency"]),
        early_bird_until=row.get("early_bird_until"),
    )
