"""The queue of payouts and their decisions, their transfers, and what came back. Nothing can be edited."""

from __future__ import annotations

from typing import Any

import structlog
from django.contrib import admin
from django.db.models import Case, IntegerField, QuerySet, Sum, Value, When
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from jobs.admin import DurableWorkAdmin
from jobs.read_only_admin import ReadOnlyAdmin
from ledger.chart import CHART
from ledger.entries import AccountKind
from ledger.models import Journal, Posting
from money import Money
from payments.admin.payout_decisions import PayoutDecisions, may_decide, possible_decisions
from payments.models import Payout, PayoutReversal, PayoutStep, PayoutTransfer
from payments.payouts import gateway
from payments.payouts.rules import OPEN
from payments.stripe_api import StripeRefused, StripeUnreachable

log = structlog.get_logger()

_COLOURS = {
    "requested": "warning",
    "approved": "info",
    "sent": "info",
    "unknown": "danger",
    "paid": "success",
    "failed": "danger",
    "declined": "danger",
    "returned": "warning",
}
# What a payout waits for, in each state.
_ADVICE = {
    "requested": "It waits for a decision of staff.",
    "approved": "It is approved, and is sent within moments, or once the platform's balance at Stripe is high enough.",
    "sent": "It is being sent to Stripe.",
    "unknown": "Stripe's answer was lost. The money stays claimed, and Stripe is asked until it is known.",
    "paid": "It has been paid.",
    "failed": "Stripe refused it. The money is available to the teacher again.",
    "declined": "Staff declined it. The money is available to the teacher again.",
    "returned": "It was paid and came back. The money is available to the teacher again.",
}


class PayoutStepInline(ReadOnlyAdmin, TabularInline):
    """What happened to the payout: when, by whom, and why."""

    model = PayoutStep
    fields = readonly_fields = ("at", "status", "by", "note")
    extra = 0
    verbose_name_plural = "history"
    hide_title = True


class PayoutTransferInline(ReadOnlyAdmin, TabularInline):
    """The work of sending it, and the transfer at Stripe."""

    model = PayoutTransfer
    fields = readonly_fields = ("account", "stripe_transfer_id", "state", "attempts", "last_error", "bank_payout")
    extra = 0
    show_change_link = True
    hide_title = True


@admin.register(Payout)
class PayoutAdmin(PayoutDecisions, ReadOnlyAdmin, ModelAdmin):
    """The queue: requested payouts first, with the balance that would pay them."""

    list_display = ("teacher", "shown_amount", "shown_status", "way", "shown_account", "requested_at", "decided_by")
    list_filter = ("status", "way", "origin", "currency", "requested_at")
    list_select_related = ("teacher", "decided_by")
    search_fields = (
        "=reference",
        "teacher__display_name__resembles",
        "teacher__user__email",
        "transfer__stripe_transfer_id",
    )
    list_before_template = "payments/admin/_payout_queue.html"
    change_form_outer_before_template = "payments/admin/_payout_advice.html"
    view_on_site = False
    show_full_result_count = False
    readonly_fields = (
        "reference",
        "teacher",
        "shown_amount",
        "shown_returned",
        "status",
        "way",
        "origin",
        "shown_account",
        "requested_by",
        "requested_at",
        "decided_by",
        "decided_at",
        "note",
        "failure_reason",
        "paid_at",
        "bank_paid_on",
        "bank_last_four",
        "shown_bank_fee",
        "shown_journals",
    )
    fields = readonly_fields
    inlines = (PayoutStepInline, PayoutTransferInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payout]:
        payouts: QuerySet[Payout] = super().get_queryset(request)
        return payouts.prefetch_related("teacher__connected_accounts")

    def get_ordering(self, request: HttpRequest) -> Any:  # noqa: ARG002  # Django's signature
        """What staff must decide on first, then what is under way, then the rest, newest first."""
        cases = [When(status="requested", then=Value(0)), When(status__in=OPEN, then=Value(1))]
        return [Case(*cases, default=Value(2), output_field=IntegerField()), "-pk"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        record_url = reverse("admin:payments_payout_record") if may_decide(request) else ""
        context = {"balances": _balances(), "record_url": record_url, "title": "Payouts"}
        answer: HttpResponseBase = super().changelist_view(request, {**(extra_context or {}), **context})
        return answer

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        context: dict[str, Any] = {}
        payout = self.get_object(request, object_id)
        if payout is not None:
            decisions = possible_decisions(payout) if may_decide(request) else []
            context = {"advice": _ADVICE[payout.status], "decisions": decisions}
        answer: HttpResponseBase = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **context}
        )
        return answer

    @display(description="Amount", ordering="amount_minor")
    def shown_amount(self, payout: Payout) -> str:
        return str(payout.amount)

    @display(description="Came back")
    def shown_returned(self, payout: Payout) -> str:
        return str(payout.returned) if payout.returned_minor else "–"

    @display(description="Status", ordering="status", label=_COLOURS)
    def shown_status(self, payout: Payout) -> tuple[str, str]:
        return payout.status, payout.get_status_display()

    @display(description="The bank's fee")
    def shown_bank_fee(self, payout: Payout) -> str:
        return str(payout.bank_fee) if payout.bank_fee_minor else "–"

    @display(description="Stripe account")
    def shown_account(self, payout: Payout) -> str:
        account = next((each for each in payout.teacher.connected_accounts.all() if each.is_current), None)
        if account is None:
            return "none"
        link = reverse("admin:payments_connectedaccount_change", args=[account.pk])
        return format_html('<a class="underline" href="{}">{}</a>', link, account.state)

    @display(description="Journals")
    def shown_journals(self, payout: Payout) -> str:
        """Each journal of the payout with its postings."""
        journals = Journal.objects.filter(subject=payout.subject).prefetch_related("postings__account").order_by("pk")
        lines = [
            (
                journal.source.removeprefix(f"{payout.subject}:"),
                ", ".join(
                    f"{CHART[AccountKind(posting.account.kind)].title} {_on_its_side(posting)}"
                    for posting in journal.postings.all()
                ),
            )
            for journal in journals
        ]
        return format_html_join(mark_safe("<br>"), "<strong>{}</strong>: {}", lines) or "–"


def _on_its_side(posting: Posting) -> str:
    """A posting's amount with its side, as bookkeepers write it."""
    amount = Money(abs(posting.amount_minor), posting.account.currency)
    return f"{amount} {'debit' if posting.amount_minor > 0 else 'credit'}"


def _balances() -> list[dict[str, Any]] | None:
    """Per currency: Stripe's available balance, and what approved and requested payouts need. None if Stripe is silent."""
    sums = Payout.objects.open().values("currency", "status").annotate(total=Sum("amount_minor"))
    needed: dict[str, dict[str, int]] = {}
    for row in sums:
        kind = "requested" if row["status"] == "requested" else "approved"
        of_currency = needed.setdefault(row["currency"], {"requested": 0, "approved": 0})
        of_currency[kind] += row["total"]
    if not needed:
        return []
    try:
        available = gateway.retrieve_available_balance()
    except (StripeUnreachable, StripeRefused) as problem:
        log.warning("balance_not_shown", problem=str(problem))
        return None
    return [
        {
            "available": available.get(currency, Money.zero(currency)),
            "approved": Money(parts["approved"], currency),
            "requested": Money(parts["requested"], currency),
            "is_too_low": available.get(currency, Money.zero(currency)).minor < sum(parts.values()),
        }
        for currency, parts in sorted(needed.items())
    ]


@admin.register(PayoutTransfer)
class PayoutTransferAdmin(DurableWorkAdmin):
    """The transfers of payouts. Staff can retry the sending here; it never sends twice."""

    list_display = ("payout", "account", "stripe_transfer_id", *DurableWorkAdmin.list_display)
    list_select_related = ("payout__teacher", "account")
    search_fields = ("=payout__reference", "stripe_transfer_id", "account__stripe_account_id")
    readonly_fields = (
        "payout",
        "account",
        "stripe_transfer_id",
        "idempotency_key",
        "bank_payout",
        *DurableWorkAdmin.readonly_fields,
    )
    fields = readonly_fields


@admin.register(PayoutReversal)
class PayoutReversalAdmin(DurableWorkAdmin):
    """What came back of transfers, or was asked back."""

    list_display = ("shown_amount", "transfer", "status", "reason", *DurableWorkAdmin.list_display)
    list_filter = ("status", "reason", *DurableWorkAdmin.list_filter)
    list_select_related = ("transfer__payout__teacher",)
    search_fields = ("stripe_reversal_id", "transfer__stripe_transfer_id", "=transfer__payout__reference")
    readonly_fields = (
        "transfer",
        "shown_amount",
        "status",
        "reason",
        "bank_payout",
        "requested_by",
        "stripe_reversal_id",
        "idempotency_key",
        "failure_reason",
        *DurableWorkAdmin.readonly_fields,
    )
    fields = readonly_fields

    @display(description="Amount", ordering="amount_minor")
    def shown_amount(self, reversal: PayoutReversal) -> str:
        return str(reversal.amount)
