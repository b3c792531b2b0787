"""Stripe's statement in the admin, as we have read it, and what each payout to the bank is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.read_only_admin import ReadOnlyAdmin
from payments.models import StripeMovement
from payments.reconciliation.composition import Composition
from payments.reconciliation.groups import shown
from payments.reconciliation.payout_items import composition_of_payout
from payments.reconciliation.statement import Topic, topic_of
from payments.stripe_api import StripeRefused, StripeUnreachable
from payments.stripe_links import dashboard_url


@admin.register(StripeMovement)
class StripeMovementAdmin(ReadOnlyAdmin, ModelAdmin):
    """Stripe's statement: every movement of the balance, as Stripe lists it."""

    list_display = ("stripe_id", "happened_at", "type", "category", "amount", "fee", "net", "source")
    list_filter = ("type", "currency", "livemode")
    search_fields = ("stripe_id", "source", "payment_intent")
    date_hierarchy = "happened_at"
    ordering = ("-happened_at",)
    show_full_result_count = False
    readonly_fields: Sequence[str] = (
        "stripe_id", "happened_at", "available_at", "type", "category", "description", "amount", "fee", "net",
        "fee_parts", "source_link", "composition_link", "payment_intent", "account", "livemode",
    )  # fmt: skip
    fields = readonly_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[StripeMovement]:
        """Leave out what only its own page shows."""
        rows: QuerySet[StripeMovement] = super().get_queryset(request)
        return rows.defer("claim")

    @display(description="Amount", ordering="amount_minor")
    def amount(self, movement: StripeMovement) -> str:
        return shown(movement.amount_minor, movement.currency)

    @display(description="Fee", ordering="fee_minor")
    def fee(self, movement: StripeMovement) -> str:
        return shown(movement.fee_minor, movement.currency)

    @display(description="Net", ordering="net_minor")
    def net(self, movement: StripeMovement) -> str:
        return shown(movement.net_minor, movement.currency)

    @display(description="Source")
    def source_link(self, movement: StripeMovement) -> str:
        return link_to(dashboard_url(movement.source, livemode=movement.livemode), movement.source)

    @display(description="Made of")
    def composition_link(self, movement: StripeMovement) -> str:
        if topic_of(movement.match_key) != Topic.PLATFORM_PAYOUT or movement.type != "payout":
            return "–"
        return link_to(reverse("admin:payments_stripe_payout", args=[movement.source]), "what the payout is made of")

    def show_payout(self, request: HttpRequest, payout_id: str) -> HttpResponse:
        """The items of a payout, added up, with the remainder."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "opts": self.opts, "payout_id": payout_id}
        try:
            composition = composition_of_payout(payout_id)
        except (StripeUnreachable, StripeRefused) as problem:
            context |= {"title": payout_id, "problem": str(problem)}
            return TemplateResponse(request, "payments/admin/payout_composition.html", context, status=503)
        if composition is None:
            raise Http404
        context |= {"title": f"What {payout_id} is made of", "rows": _rows(composition), "composition": composition}
        context["dashboard_url"] = dashboard_url(payout_id, livemode=settings.STRIPE_LIVE_MODE)
        return TemplateResponse(request, "payments/admin/payout_composition.html", context)

    def get_urls(self) -> list[URLPattern]:
        """Add the composition of a payout."""
        view = self.admin_site.admin_view(self.show_payout)
        urls: list[URLPattern] = super().get_urls()
        return [path("payout/<str:payout_id>/", view, name="payments_stripe_payout"), *urls]


def _rows(composition: Composition) -> Iterator[tuple[str, str, str]]:
    """The lines of the page: what, how many, how much. The last one is the payout itself."""
    currency = composition.currency
    for part in composition.named:
        yield part.title, str(part.count), shown(part.amount_minor, currency)
    yield "Named items together", "", shown(composition.named_minor, currency)
    for movement in composition.unknown:
        kind = movement.type or "no type"
        yield f"Remainder: {movement.id}, {kind}", "1", shown(movement.net_minor, movement.currency)
    if composition.unlisted_minor:
        yield "Remainder: not on Stripe's list", "", shown(composition.unlisted_minor, currency)
    yield "Payout", "", shown(composition.total_minor, currency)


def link_to(url: str, text: str) -> str:
    """A link in the admin's colours; only the text if there is no address."""
    if not url:
        return text or "–"
    return format_html('<a class="text-primary-700 underline dark:text-primary-400" href="{}">{}</a>', url, text)
