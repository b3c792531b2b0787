"""Lesson offers in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.labelled_inline import LabelledInline
from accounts.sold_admin import SoldAdmin, Tables
from bookings.models import LessonOffer, LessonPrice
from bookings.offers import OfferIncomplete, publish_offer, save_offer, withdraw_offer
from money.price_rows import PriceRowForm


class LessonPriceInline(LabelledInline):
    model = LessonPrice
    form = PriceRowForm
    extra = 0


@admin.register(LessonOffer)
class LessonOfferAdmin(SoldAdmin):
    refusals = (OfferIncomplete,)
    list_display = ["title", "teacher", "subject", "minutes", "is_online", "is_published"]
    list_filter = ["is_published", "is_online", ("subject", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["teacher", "subject"]
    search_fields = ["title__resembles", "teacher__display_name__resembles"]
    readonly_fields = ["slug", "is_published", "created_at"]
    inlines = [LessonPriceInline]
    actions = ["publish", "withdraw"]

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Only teachers write offers."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Staff withdraw offers instead, which also removes the listing."""
        return False

    def save_sold(self, *, sold: LessonOffer, form: Any, tables: Tables) -> None:
        stored = LessonPrice.objects.filter(offer_id=sold.pk)
        save_offer(offer=sold, prices=tables.prices_of(LessonPrice, stored=stored))

    def is_on_site(self, offer: LessonOffer) -> bool:
        return offer.is_published and offer.teacher.is_approved

    @admin.action(description="Publish", permissions=["change"])
    def publish(self, request: HttpRequest, offers: QuerySet[LessonOffer]) -> None:
        for offer in offers.select_related("teacher"):
            try:
                publish_offer(offer=offer)
            except OfferIncomplete as missing:
                messages.error(request, f"{offer}: {missing}")

    @admin.action(description="Withdraw from the site", permissions=["change"])
    def withdraw(self, _request: HttpRequest, offers: QuerySet[LessonOffer]) -> None:
        for offer in offers:
            withdraw_offer(offer=offer)
