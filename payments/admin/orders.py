"""Orders and their payments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from unfold.admin import TabularInline
from unfold.decorators import display

from jobs.admin import DurableWorkAdmin
from jobs.read_only_admin import ReadOnlyAdmin
from payments.admin import words
from payments.admin.order_timeline import timeline_of
from payments.admin.refund_filters import RefundStateFilter
from payments.admin.refund_pages import RefundPages
from payments.models import Order, OrderLine, Payment


class OrderLineInline(ReadOnlyAdmin, TabularInline):
    """The order's lines, and how their money is shared."""

    model = OrderLine
    fields = (
        "shown_domain",
        "title",
        "quantity",
        "teacher",
        "shown_amount",
        "shown_fee",
        "shown_share",
        "shown_tax",
        "shown_refunded",
        "shown_state",
        "refund_link",
    )
    readonly_fields = fields
    extra = 0
    hide_title = True
    verbose_name_plural = "What was bought"

    @display(description="Kind")
    def shown_domain(self, line: OrderLine) -> str:
        return words.domain_label(line.domain)

    @display(description="Amount")
    def shown_amount(self, line: OrderLine) -> str:
        return f"{line.amount} ({line.discount} off)" if line.discount_minor else str(line.amount)

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

    @display(description="State")
    def shown_state(self, line: OrderLine) -> str:
        """How far it is, and why if it could not be delivered."""
        state = words.LINE_STATES.get(line.state, line.state)
        return f"{state}: {line.state_reason}" if line.state_reason else state

    @display(description="Our fee")
    def shown_fee(self, line: OrderLine) -> str:
        return f"{line.platform_fee} ({line.commission_bps / 100:g} %)"

    @display(description="Teacher's share")
    def shown_share(self, line: OrderLine) -> str:
        """With what the platform pays of it, where it bears a discount."""
        if not line.platform_discount_share_minor:
            return str(line.teacher_share)
        return f"{line.earned_share}, of which the platform pays {line.earned_share - line.teacher_share}"

    @display(description="Tax")
    def shown_tax(self, line: OrderLine) -> str:
        """The tax in the amount, and who owes it."""
        if not line.tax_minor:
            return "–"
        return f"{line.tax} {line.tax_name}, owed by the {'platform' if line.platform_tax_minor else 'teacher'}"

    @display(description="Refunded")
    def shown_refunded(self, line: OrderLine) -> str:
        return str(line.refunded)


@admin.register(Order)
class OrderAdmin(RefundPages):
    """Every order with its lines, payments and events on one page."""

    list_display = (
        "number",
        "customer",
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
        "user__full_name__resembles",
        "payments__stripe_session_id",
        "payments__stripe_payment_intent_id",
    )
    date_hierarchy = "created_at"
    inlines = (OrderLineInline,)
    change_form_outer_before_template = "payments/admin/_order_summary.html"
    change_form_outer_after_template = "payments/admin/_order_timeline.html"

    def get_fieldsets(self, request: HttpRequest, obj: Order | None = None) -> list[Any]:  # noqa: ARG002  # Django's signature
        """None: the summary above the lines shows the order's own fields."""
        return []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        orders: QuerySet[Order] = super().get_queryset(request)
        return orders.prefetch_related("payments__refunds")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Order | None:
        """With the customer and the discount codes, which the page names."""
        order: Order | None = super().get_object(request, object_id, from_field)
        if order is not None:
            prefetch_related_objects([order], "user", "redemptions__code")
        return order

    def render_change_form(  # noqa: PLR0913, PLR0917  # Django's signature
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Add the customer and all that happened to the order."""
        if obj is not None:
            may_see_people = request.user.has_perm("accounts.view_user")
            context |= {
                "timeline": timeline_of(obj, request),
                "customer_url": reverse("admin:accounts_user_change", args=[obj.user_id]) if may_see_people else "",
                "may_see_mails": request.user.has_perm("notifications.view_mail"),
                "title": f"Order {obj.number}",
            }
        answer: HttpResponse = super().render_change_form(request, context, add, change, form_url, obj)
        return answer

    @display(description="Customer", ordering="user__email")
    def customer(self, order: Order) -> str:
        return f"{order.user.display_name}, {order.user.email}" if order.user.full_name else order.user.email

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


class StatusFilter(admin.ChoicesFieldListFilter):
    """Payments by status, in the words of the list."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        labels = {Payment.Status(value).label: text for value, text in words.PAYMENT_STATUSES.items()}
        for choice in super().choices(changelist):
            yield {**choice, "display": labels.get(str(choice["display"]), choice["display"])}


@admin.register(Payment)
class PaymentAdmin(DurableWorkAdmin):
    """The payments, each a Checkout Session at Stripe. The state of their follow-up is not theirs, so it is named apart."""

    list_display = (
        "order",
        "customer",
        "shown_status",
        "shown_amount",
        "refund_state",
        "dispute_state",
        "created_at",
        "shown_follow_up",
    )
    list_filter = (("status", StatusFilter), "livemode", *DurableWorkAdmin.list_filter)
    list_select_related = ("order__user",)
    search_fields = (
        "order__number",
        "order__user__email",
        "stripe_session_id",
        "stripe_payment_intent_id",
        "stripe_charge_id",
    )
    readonly_fields = (
        "order",
        "customer",
        "shown_status",
        "shown_amount",
        "shown_failure",
        "shown_session",
        "shown_intent",
        "shown_charge",
        "shown_fee",
        "created_at",
        "expires_at",
        "succeeded_at",
        "ended_at",
        "shown_follow_up",
        "attempts",
        "error_text",
    )
    fields = readonly_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        payments: QuerySet[Any] = super().get_queryset(request)
        return payments.prefetch_related("refunds")

    @display(description="Customer", ordering="order__user__email")
    def customer(self, payment: Payment) -> str:
        return payment.order.user.email

    @display(
        description="Status",
        ordering="status",
        label={words.PAYMENT_STATUSES[status]: colour for status, colour in words.PAYMENT_COLOURS.items()},
    )
    def shown_status(self, payment: Payment) -> str:
        return words.payment_status(payment)

    @display(description="Amount", ordering="amount_minor")
    def shown_amount(self, payment: Payment) -> str:
        return str(payment.amount)

    @display(description="Why it failed")
    def shown_failure(self, payment: Payment) -> str:
        """A card that was declined before another one paid is no failure of the payment."""
        return "–" if payment.has_succeeded else payment.failure_message or "–"

    @display(description="Payment page at Stripe")
    def shown_session(self, payment: Payment) -> str:
        return words.stripe_link(payment.stripe_session_id, livemode=payment.livemode)

    @display(description="Payment at Stripe")
    def shown_intent(self, payment: Payment) -> str:
        return words.stripe_link(payment.stripe_payment_intent_id, livemode=payment.livemode)

    @display(description="Charge at Stripe")
    def shown_charge(self, payment: Payment) -> str:
        return words.stripe_link(payment.stripe_charge_id, livemode=payment.livemode)

    @display(description="Stripe's fee")
    def shown_fee(self, payment: Payment) -> str:
        return str(payment.stripe_fee or "–")

    @display(description="Follow-up")
    def shown_follow_up(self, payment: Payment) -> str:
        """What Lectern still does about the payment by itself; nothing of it changes whether the payment succeeded."""
        match payment.state:
            case Payment.State.PARKED:
                return "Stopped: needs staff"
            case Payment.State.DONE:
                return "Finished"
            case _ if payment.ended_at and payment.status != Payment.Status.PROCESSING:
                return "Nothing left to do"
            case _:
                return f"Next check {date_format(localtime(payment.run_after), 'DATETIME_FORMAT')}"
