"""Orders and their payments."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from unfold.admin import TabularInline
from unfold.decorators import display

from jobs.admin import DurableWorkAdmin
from jobs.read_only_admin import ReadOnlyAdmin
from payments.admin.refund_filters import RefundStateFilter
from payments.admin.refund_pages import RefundPages
from payments.models import Dispute, Order, OrderLine, Payment, WebhookEvent


class OrderLineInline(ReadOnlyAdmin, TabularInline):
    """The order's lines, and how their money is shared."""

    model = OrderLine
    fields = (
        "domain",
        "title",
        "refund_link",
        "quantity",
        "teacher",
        "shown_amount",
        "shown_fee",
        "shown_share",
        "shown_refunded",
        "state",
        "state_reason",
        "fulfilled_at",
    )
    readonly_fields = fields
    extra = 0

    @display(description="Amount")
    def shown_amount(self, line: OrderLine) -> str:
        return str(line.amount)

    @display(description="Refund")
    def refund_link(self, line: OrderLine) -> str:
        """The refund page with all that is left of this line. The page itself checks who may use it."""
        if not self.may_refund or not line.order.is_paid or not line.refundable.minor:
            return "–"
        url = reverse("admin:payments_order_refund", args=[line.order_id])
        return format_html('<a class="underline" href="{}?line={}">Refund</a>', url, line.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        self.may_refund = request.user.has_perm("payments.refund_order")
        rows: QuerySet[OrderLine] = super().get_queryset(request)
        return rows.select_related("order", "teacher")

    @display(description="Platform fee")
    def shown_fee(self, line: OrderLine) -> str:
        return f"{line.platform_fee} ({line.commission_bps / 100:g} %)"

    @display(description="Teacher's share")
    def shown_share(self, line: OrderLine) -> str:
        return str(line.teacher_share)

    @display(description="Given back or on its way")
    def shown_refunded(self, line: OrderLine) -> str:
        return str(line.refunded)


class PaymentInline(ReadOnlyAdmin, TabularInline):
    """The attempts to pay the order."""

    model = Payment
    fields = readonly_fields = (
        "created_at",
        "status",
        "stripe_session_id",
        "stripe_payment_intent_id",
        "expires_at",
        "failure_message",
        "shown_refunded",
    )
    extra = 0
    show_change_link = True

    @display(description="Given back or on its way")
    def shown_refunded(self, payment: Payment) -> str:
        return f"{payment.amount - payment.refundable - payment.disputed} of {payment.amount}"


class WebhookEventInline(ReadOnlyAdmin, TabularInline):
    """Stripe's events about the order."""

    model = WebhookEvent
    fields = readonly_fields = ("created_at", "type", "stripe_id", "state", "outcome")
    extra = 0
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        """Without the payloads, which are large and not shown here."""
        rows: QuerySet[WebhookEvent] = super().get_queryset(request)
        return rows.defer("payload")


@admin.register(Order)
class OrderAdmin(RefundPages):
    """Every order with its lines, payments and events on one page."""

    list_display = (
        "number",
        "user",
        "shown_total",
        "shown_state",
        "refund_state",
        "dispute_state",
        "created_at",
        "paid_at",
    )
    list_filter = ("state", RefundStateFilter, "currency", "created_at")
    list_select_related = ("user",)
    search_fields = (
        "number",
        "user__email",
        "user__full_name",
        "payments__stripe_session_id",
        "payments__stripe_payment_intent_id",
    )
    date_hierarchy = "created_at"
    readonly_fields = (
        "number",
        "user",
        "shown_total",
        "state",
        "refund_state",
        "shown_disputes",
        "created_at",
        "paid_at",
        "cancelled_at",
        "cancel_reason",
    )
    fields = readonly_fields
    inlines = (OrderLineInline, PaymentInline, WebhookEventInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        orders: QuerySet[Order] = super().get_queryset(request)
        return orders.prefetch_related("payments__refunds")

    @display(description="Disputes")
    def shown_disputes(self, order: Order) -> str:
        """Each dispute with its amount and status, linked to its page."""
        disputes = Dispute.objects.filter(payment__order=order).select_related("payment").order_by("pk")
        lines = [(dispute.get_admin_url(), dispute.amount, dispute.status_text) for dispute in disputes]
        return format_html_join(mark_safe("<br>"), '<a class="underline" href="{}">{}, {}</a>', lines) or "–"

    @display(description="Total", ordering="total_minor")
    def shown_total(self, order: Order) -> str:
        return str(order.total)

    @display(
        description="State",
        ordering="state",
        label={
            Order.State.COMPLETED: "success",
            Order.State.AWAITING_PAYMENT: "warning",
            Order.State.PAYMENT_PENDING: "info",
            Order.State.CANCELLED: "danger",
        },
    )
    def shown_state(self, order: Order) -> tuple[Any, str]:
        return order.state, order.get_state_display()


@admin.register(Payment)
class PaymentAdmin(DurableWorkAdmin):
    """The payments, each a Checkout Session at Stripe."""

    list_display = (
        "order",
        "status",
        "shown_amount",
        "refund_state",
        "dispute_state",
        "expires_at",
        *DurableWorkAdmin.list_display,
    )
    list_filter = ("status", "livemode", *DurableWorkAdmin.list_filter)
    list_select_related = ("order",)
    search_fields = ("order__number", "stripe_session_id", "stripe_payment_intent_id")
    readonly_fields = (
        "order",
        "status",
        "shown_amount",
        "failure_message",
        "stripe_session_id",
        "stripe_payment_intent_id",
        "stripe_charge_id",
        "stripe_balance_transaction_id",
        "shown_fee",
        "expires_at",
        "ended_at",
        "succeeded_at",
        "updated_at",
        "livemode",
        *DurableWorkAdmin.readonly_fields,
    )
    fields = readonly_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        payments: QuerySet[Any] = super().get_queryset(request)
        return payments.prefetch_related("refunds")

    @display(description="Amount", ordering="amount_minor")
    def shown_amount(self, payment: Payment) -> str:
        return str(payment.amount)

    @display(description="Stripe's fee")
    def shown_fee(self, payment: Payment) -> str:
        return str(payment.stripe_fee or "–")
