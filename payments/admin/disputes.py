"""Disputes, what was answered to them, and early fraud warnings."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Case, F, QuerySet, When
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from jobs.admin import DurableWorkAdmin
from jobs.read_only_admin import ReadOnlyAdmin
from payments.admin.dispute_advice import advice_on, due_text, earlier_refunds, money_rows
from payments.admin.dispute_views import PERMISSION, DisputePages
from payments.disputes.answers import reason_against_answer
from payments.models import Dispute, DisputeAllocation, DisputeAnswer, DisputeMovement, Order

_STATUS = Dispute.Status
_GROUPS = {
    "to_answer": ("Needs an answer", Dispute.TO_ANSWER),
    "under_review": ("Under review", (_STATUS.UNDER_REVIEW, _STATUS.WARNING_UNDER_REVIEW)),
    "won": ("Won or closed", (_STATUS.WON, _STATUS.WARNING_CLOSED, _STATUS.PREVENTED)),
    "lost": ("Lost", (_STATUS.LOST,)),
}


class OutcomeFilter(admin.SimpleListFilter):
    """What staff look for: what they must answer, what the bank decides, and how it ended."""

    title = "state"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002  # Django's signature
        return [(name, label) for name, (label, _) in _GROUPS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> QuerySet[Dispute]:  # noqa: ARG002
        group = _GROUPS.get(self.value() or "")
        return queryset.filter(status__in=group[1]) if group else queryset


class DisputeAllocationInline(ReadOnlyAdmin, TabularInline):
    """How much of the claim belongs to which line, and how platform and teacher share it."""

    model = DisputeAllocation
    fields = readonly_fields = ("line", "shown_amount", "shown_fee", "shown_share")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[DisputeAllocation]:
        allocations: QuerySet[DisputeAllocation] = super().get_queryset(request)
        return allocations.select_related("line")

    @display(description="Amount")
    def shown_amount(self, allocation: DisputeAllocation) -> str:
        return str(allocation.amount)

    @display(description="Platform's fee")
    def shown_fee(self, allocation: DisputeAllocation) -> str:
        return str(allocation.fee)

    @display(description="Teacher's share")
    def shown_share(self, allocation: DisputeAllocation) -> str:
        return str(allocation.share)


class DisputeMovementInline(ReadOnlyAdmin, TabularInline):
    """Stripe's balance transactions of the dispute."""

    model = DisputeMovement
    fields = readonly_fields = ("happened_at", "shown_amount", "shown_fee", "stripe_balance_transaction_id")
    extra = 0

    @display(description="Amount")
    def shown_amount(self, movement: DisputeMovement) -> str:
        return str(movement.amount)

    @display(description="Fee")
    def shown_fee(self, movement: DisputeMovement) -> str:
        return str(movement.fee)


class DisputeAnswerInline(ReadOnlyAdmin, TabularInline):
    """What staff decided, and what became of it."""

    model = DisputeAnswer
    fields = readonly_fields = ("created_at", "kind", "status", "decided_by", "note", "sent_at", "refusal")
    extra = 0
    show_change_link = True


@admin.register(Dispute)
class DisputeAdmin(DisputePages, ReadOnlyAdmin, ModelAdmin):
    """Disputes, those to answer soonest first. Nothing is typed in here: Stripe says what is disputed."""

    list_display = ("order", "shown_amount", "reason", "shown_status", "shown_due", "opened_at")
    list_filter = (OutcomeFilter, "opened_at")
    list_select_related = ("payment__order",)
    search_fields = ("stripe_dispute_id", "payment__order__number", "payment__stripe_payment_intent_id")
    fields = readonly_fields = (
        "order",
        "payment",
        "shown_amount",
        "status_text",
        "reason",
        "case_type",
        "stripe_dispute_id",
        "opened_at",
        "due_by",
        "has_evidence",
        "submission_count",
        "closed_at",
    )
    inlines = (DisputeAnswerInline, DisputeMovementInline, DisputeAllocationInline)
    change_form_template = "payments/admin/dispute_show.html"

    def get_ordering(self, request: HttpRequest) -> list[Any]:  # noqa: ARG002  # Django's signature
        answer_by = Case(When(status__in=Dispute.TO_ANSWER, then=F("due_by")))
        return [answer_by.asc(nulls_last=True), "-opened_at", "-pk"]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        dispute = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if dispute is not None and self.has_view_permission(request, dispute):
            may_answer = request.user.has_perm(PERMISSION) and not reason_against_answer(dispute)
            context |= {
                "title": f"Dispute of {dispute.amount}, order {dispute.payment.order.number}",
                "advice": advice_on(dispute),
                "money": money_rows(dispute),
                "refunds": earlier_refunds(dispute),
                "may_answer": may_answer,
                "may_accept": may_answer and not dispute.is_inquiry,
            }
        answer: HttpResponseBase = super().change_view(request, object_id, form_url, context)
        return answer

    @display(description="Order", ordering="payment__order__number")
    def order(self, dispute: Dispute) -> Order:
        return dispute.payment.order

    @display(description="Amount", ordering="amount_minor")
    def shown_amount(self, dispute: Dispute) -> str:
        return str(dispute.amount)

    @display(
        description="Status",
        ordering="status",
        label={
            _STATUS.NEEDS_RESPONSE: "danger",
            _STATUS.WARNING_NEEDS_RESPONSE: "warning",
            _STATUS.UNDER_REVIEW: "info",
            _STATUS.WARNING_UNDER_REVIEW: "info",
            _STATUS.WON: "success",
            _STATUS.WARNING_CLOSED: "success",
            _STATUS.LOST: "danger",
        },
    )
    def shown_status(self, dispute: Dispute) -> tuple[str, str]:
        return dispute.status, dispute.status_text

    @display(description="Status")
    def status_text(self, dispute: Dispute) -> str:
        return dispute.status_text

    @display(description="Answer until", ordering="due_by")
    def shown_due(self, dispute: Dispute) -> str:
        return due_text(dispute) or "–"


@admin.register(DisputeAnswer)
class DisputeAnswerAdmin(DurableWorkAdmin):
    """What was decided about disputes. The sending can be retried here."""

    list_display = ("dispute", "kind", "status", "decided_by", *DurableWorkAdmin.list_display)
    list_filter = ("kind", "status", *DurableWorkAdmin.list_filter)
    list_select_related = ("dispute__payment__order", "decided_by")
    search_fields = ("dispute__stripe_dispute_id", "dispute__payment__order__number")
    readonly_fields = (
        "dispute",
        "kind",
        "status",
        "decided_by",
        "note",
        "shown_texts",
        "shown_files",
        "sent_at",
        "refusal",
        *DurableWorkAdmin.readonly_fields,
    )
    fields = readonly_fields

    @display(description="Texts")
    def shown_texts(self, answer: DisputeAnswer) -> str:
        return "\n\n".join(f"{name}: {text}" for name, text in answer.texts.items()) or "–"

    @display(description="Files")
    def shown_files(self, answer: DisputeAnswer) -> str:
        return ", ".join(f"{file['name']} ({file['stripe_file_id']})" for file in answer.files) or "–"
