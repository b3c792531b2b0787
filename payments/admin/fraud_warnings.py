"""Early fraud warnings, with the refund that may prevent a dispute."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.read_only_admin import ReadOnlyAdmin
from payments.disputes.fraud_warnings import refund_because_of_warning
from payments.models import FraudWarning, Order
from payments.refunds.plan import RefundRefused, WholeOrder
from payments.refunds.requests import plan_refund_of

_PERMISSION = "payments.refund_order"


def waiting_warnings(queryset: QuerySet[FraudWarning]) -> QuerySet[FraudWarning]:
    """Those that need a decision of staff; see `FraudWarning.needs_decision`."""
    is_refunded = queryset.filter(refund__isnull=False).exclude(refund__status__in=["failed", "canceled"])
    undisputed = queryset.filter(is_actionable=True, payment__disputed_minor=0)
    return undisputed.filter(payment__refunded_minor__lt=F("payment__amount_minor")).exclude(pk__in=is_refunded)


class DecisionFilter(admin.SimpleListFilter):
    """What staff look for: the warnings that wait for them."""

    title = "state"
    parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002  # Django's signature
        return [("open", "Needs a decision"), ("settled", "Dealt with")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[FraudWarning]) -> QuerySet[FraudWarning]:  # noqa: ARG002
        waiting = waiting_warnings(queryset)
        match self.value():
            case "open":
                return waiting
            case "settled":
                return queryset.exclude(pk__in=waiting)
        return queryset


@admin.register(FraudWarning)
class FraudWarningAdmin(ReadOnlyAdmin, ModelAdmin):
    """The warnings. Stripe writes them; staff only decide whether to refund."""

    list_display = ("order", "shown_amount", "fraud_type", "shown_state", "warned_at")
    list_filter = (DecisionFilter, "fraud_type", "warned_at")
    list_select_related = ("payment__order", "refund")
    search_fields = ("stripe_warning_id", "payment__order__number")
    fields = readonly_fields = (
        "order",
        "payment",
        "shown_amount",
        "fraud_type",
        "state_text",
        "refund",
        "stripe_warning_id",
        "warned_at",
        "updated_at",
    )
    change_form_template = "payments/admin/fraud_warning_show.html"

    def get_urls(self) -> list[URLPattern]:
        refund = path(
            "<int:pk>/refund/", self.admin_site.admin_view(self.refund_view), name="payments_fraudwarning_refund"
        )
        return [refund, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        warning = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if warning is not None and self.has_view_permission(request, warning):
            context |= {
                "title": f"Early fraud warning, order {warning.payment.order.number}",
                "warning": warning,
                "preview": _preview(warning) if request.user.has_perm(_PERMISSION) else None,
            }
        answer: HttpResponseBase = super().change_view(request, object_id, form_url, context)
        return answer

    def refund_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Refund all that is left of the payment. The page before shows the figures."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        warning = self.get_object(request, str(pk))
        if warning is None or not self.has_view_permission(request, warning):
            raise Http404
        if not request.user.has_perm(_PERMISSION):
            raise PermissionDenied
        try:
            refund = refund_because_of_warning(warning, requested_by_id=int(str(request.user.pk)))
        except RefundRefused as refusal:
            messages.error(request, str(refusal))
        else:
            self.log_change(request, warning, f"Refunded {refund.amount}.")
            messages.success(request, f"{refund.amount} is being refunded.")
        return HttpResponseRedirect(reverse("admin:payments_fraudwarning_change", args=[pk]))

    @display(description="Order", ordering="payment__order__number")
    def order(self, warning: FraudWarning) -> Order:
        return warning.payment.order

    @display(description="Amount", ordering="payment__amount_minor")
    def shown_amount(self, warning: FraudWarning) -> str:
        return str(warning.payment.amount)

    @display(description="State", label={"open": "danger", "refunded": "success", "settled": "info"})
    def shown_state(self, warning: FraudWarning) -> tuple[str, str]:
        return _state_of(warning)

    @display(description="State")
    def state_text(self, warning: FraudWarning) -> str:
        return _state_of(warning)[1]


def _state_of(warning: FraudWarning) -> tuple[str, str]:
    """A name for the colour, and the text."""
    if warning.needs_decision:
        return "open", "needs a decision"
    if warning.refund is not None and warning.refund.is_live:
        return "refunded", "refunded because of it"
    return "settled", "refunded or disputed before"


def _preview(warning: FraudWarning) -> list[tuple[str, Any]] | None:
    """Who gives back what if all that is left is refunded; None if nothing can be."""
    if not warning.needs_decision:
        return None
    try:
        parts = plan_refund_of(warning.payment.order, WholeOrder())
    except RefundRefused:
        return None
    rows = [("The student gets", sum((part.amount for part in parts[1:]), start=parts[0].amount))]
    rows.append(("The platform gives back", sum((part.fee for part in parts[1:]), start=parts[0].fee)))
    rows += [(f"{part.line.seller_name} gives back", part.share) for part in parts if part.share.minor]
    return rows
