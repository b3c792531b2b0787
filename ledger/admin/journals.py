"""Journals and their postings, to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from jobs.read_only_admin import ReadOnlyAdmin
from ledger.models import Journal, Posting
from money import Money


class PostingInline(ReadOnlyAdmin, TabularInline):
    """The amounts of the journal, on the side where they stand."""

    model = Posting
    fields = readonly_fields = ("shown_account", "shown_debit", "shown_credit")
    verbose_name_plural = "postings"
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        postings: QuerySet[Posting] = super().get_queryset(request)
        return postings.select_related("account__teacher").order_by("-amount_minor")

    @display(description="Account")
    def shown_account(self, posting: Posting) -> str:
        return str(posting.account)

    @display(description="Debit")
    def shown_debit(self, posting: Posting) -> str:
        return str(posting.amount) if posting.amount_minor > 0 else ""

    @display(description="Credit")
    def shown_credit(self, posting: Posting) -> str:
        return str(Money(-posting.amount_minor, posting.account.currency)) if posting.amount_minor < 0 else ""


class AccountFilter(admin.SimpleListFilter):
    """The journals of one account, as its page links to them. It offers no choice itself: there may be thousands."""

    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002  # Django's signature
        chosen = request.GET.get("account", "")
        return [(chosen, f"account {chosen}")] if chosen.isdecimal() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Journal]) -> QuerySet[Journal]:  # noqa: ARG002  # Django's signature
        chosen = self.value()
        return queryset.filter(postings__account_id=int(chosen)) if chosen and chosen.isdecimal() else queryset


@admin.register(Journal)
class JournalAdmin(ReadOnlyAdmin, ModelAdmin):
    """What was recorded, newest first. Nothing here can be changed, by anyone."""

    list_display = ("effective_at", "kind", "subject", "source", "recorded_at")
    list_filter = (AccountFilter, "effective_at")
    search_fields = ("=source", "=subject", "=kind")
    ordering = ("-pk",)
    fields = readonly_fields = (
        "source",
        "kind",
        "subject",
        "description",
        "effective_at",
        "recorded_at",
        "reverses",
        "shown_reversal",
    )
    inlines = (PostingInline,)
    show_full_result_count = False

    @display(description="Reversed by")
    def shown_reversal(self, journal: Journal) -> str:
        reversal = Journal.objects.filter(reverses=journal).first()
        return str(reversal) if reversal else "–"
