"""Subjects, which staff edit, and listings, which are read-only because the domains write them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.labelled_inline import LabelledInline
from catalogue.listings import index_listings
from catalogue.models import Listing, ListingPrice, Subject
from jobs.read_only_admin import ReadOnlyAdmin


@admin.register(Subject)
class SubjectAdmin(ModelAdmin):  # type: ignore[misc]  # unfold carries no types
    list_display = ["name", "broader", "number_of_listings", "number_of_teachers"]
    list_filter = [("broader", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["broader"]
    # Counting rows drops the model's own order, and the autocomplete of subjects needs one for its pages.
    ordering = ["name"]
    search_fields = ["name__resembles", "slug"]
    autocomplete_fields = ["broader"]
    prepopulated_fields = {"slug": ["name"]}

    def is_on_site(self, subject: Subject) -> bool:  # every subject can be browsed
        return True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subject]:
        counted: QuerySet[Subject] = super().get_queryset(request)
        return counted.annotate(
            listings_number=Count("listings", distinct=True), teachers_number=Count("expertises", distinct=True)
        )

    @admin.display(description="Listings", ordering="listings_number")
    def number_of_listings(self, subject: Any) -> int:
        return int(subject.listings_number)

    @admin.display(description="Teachers", ordering="teachers_number")
    def number_of_teachers(self, subject: Any) -> int:
        return int(subject.teachers_number)

    def save_model(self, request: HttpRequest, obj: Subject, form: Any, change: bool) -> None:
        """Index listings again when their subject's name changes, because they are found by it."""
        super().save_model(request, obj, form, change)
        if change and {"name", "broader"} & set(form.changed_data):
            index_listings(Listing.objects.filter(Q(subject=obj) | Q(subject__broader=obj)))


class ListingPriceInline(ReadOnlyAdmin, LabelledInline):
    model = ListingPrice
    extra = 0
    fields = readonly_fields = ["price"]

    def price(self, price: ListingPrice) -> str:
        return str(price.amount)


@admin.register(Listing)
class ListingAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold carries no types
    """Read-only: the domains write listings when something is published."""

    list_display = ["title", "kind_label", "teacher", "subject", "starts_at", "is_sold_out", "published_at"]
    list_filter = ["kind_label", "is_sold_out", "is_online", ("subject", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["teacher", "subject"]
    search_fields = ["title__resembles", "teacher__display_name__resembles", "reference"]
    exclude = ["search"]
    date_hierarchy = "published_at"
    inlines = [ListingPriceInline]
