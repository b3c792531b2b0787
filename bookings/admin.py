"""Private lessons in the admin. Requests and lessons are read-only here, since their state changes by rules."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from accounts.labelled_inline import LabelledInline
from accounts.places_and_languages import region_name
from accounts.sold_admin import SoldAdmin, Tables
from bookings.models import Lesson, LessonOffer, LessonPrice, LessonRequest
from bookings.offers import OfferIncomplete, publish_offer, save_offer, withdraw_offer
from jobs.read_only_admin import ReadOnlyAdmin
from money import Money
from money.price_rows import PriceRowForm
from payments.order_links import order_link, with_order_numbers


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


class LessonInline(ReadOnlyAdmin, TabularInline):  # type: ignore[misc]  # unfold has no types
    model = Lesson
    fields = readonly_fields = ["starts", "state", "price"]
    show_change_link = True

    @admin.display(description="Starts")
    def starts(self, lesson: Lesson) -> Any:
        return lesson.starts_at


@admin.register(LessonRequest)
class LessonRequestAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    list_display = ["created_at", "student", "teacher", "subject", "level", "country", "state", "answered_at"]
    exclude = ["region"]
    readonly_fields = ["country"]
    list_filter = ["state", "is_to_any_teacher", "meeting", "level", ("subject", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["student", "teacher", "subject"]
    search_fields = [
        "student__email",
        "student__full_name__resembles",
        "teacher__display_name__resembles",
        "goals__resembles",
    ]
    date_hierarchy = "created_at"
    inlines = [LessonInline]

    @admin.display(description="Student is in")
    def country(self, request: LessonRequest) -> str:
        return region_name(request.region) if request.region else "–"


@admin.register(Lesson)
class LessonAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    list_display = ["starts", "teacher", "student", "subject", "amount", "state", "order"]
    list_filter = ["state", "currency", "is_online"]
    list_select_related = ["teacher", "student", "request__subject"]
    search_fields = [
        "teacher__display_name__resembles",
        "student__email",
        "student__full_name__resembles",
        "=order_line_id",
    ]
    ordering = ["-period"]
    # Listed, so that no form field is built for the others.
    fields = [
        *(
            "request",
            "teacher",
            "student",
            "starts",
            "ends",
            "state",
            "held_until",
            "order",
            "amount",
        ),
        *("is_online", "place", "policy", "proposed_at", "confirmed_at", "cancelled_at", "cancel_reason"),
    ]

    readonly_fields = ["starts", "ends", "order", "amount"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lesson]:
        lessons: QuerySet[Lesson] = super().get_queryset(request)
        return with_order_numbers(lessons)

    @admin.display(description="Order")
    def order(self, lesson: Any) -> str:
        return order_link(lesson.order_id, lesson.order_number)

    @admin.display(description="Ends")
    def ends(self, lesson: Lesson) -> Any:
        return lesson.ends_at

    @admin.display(description="Starts", ordering="period")
    def starts(self, lesson: Lesson) -> Any:
        return lesson.starts_at

    @admin.display(description="Subject")
    def subject(self, lesson: Lesson) -> str:
        return lesson.request.subject.name

    @admin.display(description="Price")
    def amount(self, lesson: Lesson) -> Money:
        return lesson.price
