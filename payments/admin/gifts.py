"""Gifts: who gave what to whom, whether it was redeemed, and what staff may do with its code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.read_only_admin import ReadOnlyAdmin
from payments.gifts.managing import GiftRefused, renew_code, send_gift_again, void_code
from payments.models import Gift, OrderLine
from payments.order_links import order_link

_MAY_MANAGE = "payments.change_gift"


class StateFilter(admin.SimpleListFilter):
    """Gifts by what became of them."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002  # Django's signature
        return [
            ("waiting", "Not redeemed yet"),
            ("void", "Code withdrawn"),
            ("redeemed", "Redeemed"),
            ("over", "Cancelled"),
            ("unpaid", "Not paid"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Gift]) -> QuerySet[Gift]:  # noqa: ARG002  # Django's signature
        is_over = Q(line__state=OrderLine.State.REVOKED)
        is_open = Q(redeemed_at=None, given_at__isnull=False) & ~is_over
        match self.value():
            case "waiting":
                return queryset.filter(is_open, voided_at=None)
            case "void":
                return queryset.filter(is_open, voided_at__isnull=False)
            case "redeemed":
                return queryset.filter(redeemed_at__isnull=False).exclude(is_over)
            case "over":
                return queryset.filter(is_over)
            case "unpaid":
                return queryset.filter(given_at=None)
        return queryset


@admin.register(Gift)
class GiftAdmin(ReadOnlyAdmin, ModelAdmin):
    """Read-only: gifts change by rules. Refunds are on the order's page. No page of staff shows a code."""

    list_display = ("title", "giver", "receiver_name", "shown_state", "mailed_at", "redeemed_at", "order")
    list_filter = (StateFilter, "line__domain")
    list_select_related = ("line__order__user", "receiver")
    search_fields = (
        "receiver_name__resembles",
        "receiver_email",
        "receiver__email",
        "line__order__number",
        "line__order__user__email",
        "line__title",
    )
    date_hierarchy = "given_at"
    actions = ("send_again", "void", "renew")
    fields = readonly_fields = (
        "title",
        "order",
        "giver",
        "receiver_name",
        "receiver_email",
        "message",
        "send_on",
        "shown_state",
        "given_at",
        "mailed_at",
        "receiver",
        "redeemed_at",
        "voided_at",
    )

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Staff who may change gifts; what can be changed is only the code, and when it is mailed."""
        return bool(request.user.has_perm(_MAY_MANAGE))

    @display(description="Gift")
    def title(self, gift: Gift) -> str:
        return gift.line.title

    @display(description="From")
    def giver(self, gift: Gift) -> str:
        return gift.line.order.user.email

    @display(description="State")
    def shown_state(self, gift: Gift) -> str:
        return gift.state

    @display(description="Order")
    def order(self, gift: Gift) -> str:
        return order_link(gift.line.order_id, gift.line.order.number)

    @admin.action(description="Send to the receiver again", permissions=["manage"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Gift]) -> None:
        self._do(request, chosen, send_gift_again, "Sent again")

    @admin.action(description="Withdraw the code", permissions=["manage"])
    def void(self, request: HttpRequest, chosen: QuerySet[Gift]) -> None:
        """Moves no money: a refund is made on the order's page."""
        self._do(request, chosen, void_code, "Code withdrawn")

    @admin.action(description="Give a new code", permissions=["manage"])
    def renew(self, request: HttpRequest, chosen: QuerySet[Gift]) -> None:
        self._do(request, chosen, renew_code, "Given a new code")

    def _do(self, request: HttpRequest, chosen: QuerySet[Gift], act: Callable[..., Gift], what: str) -> None:
        for gift_id in chosen.order_by("pk").values_list("pk", flat=True):
            try:
                gift = act(gift_id=gift_id)
            except GiftRefused as refusal:
                self.message_user(request, str(refusal), messages.WARNING)
            else:
                self.log_change(request, gift, what)
                self.message_user(request, f"{gift.line.title}: {what[0].lower()}{what[1:]}.", messages.SUCCESS)
