"""Runs of reconciliation and the differences they found. Read-only; staff may start a run and make safe repairs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from jobs.admin import DurableWorkAdmin
from jobs.read_only_admin import ReadOnlyAdmin
from payments.admin.statement import link_to
from payments.models import Difference, ReconciliationRun, ReconciliationTotal, StripeMovement
from payments.reconciliation.groups import shown
from payments.reconciliation.repairs import repair_difference
from payments.reconciliation.runs import is_clean, request_run
from payments.stripe_api import StripeUnreachable
from payments.stripe_links import dashboard_url

_PERMISSION = "payments.reconcile"


class TotalInline(ReadOnlyAdmin, TabularInline):
    """Stripe's total = the ledger's + named differences + remainder, for each currency."""

    model = ReconciliationTotal
    fields = readonly_fields = ("currency", "stripe", "pending", "ledger", "named", "remainder", "unlisted")
    extra = 0

    @display(description="Stripe's statement")
    def stripe(self, total: ReconciliationTotal) -> str:
        return shown(total.stripe_minor, total.currency)

    @display(description="Of it pending")
    def pending(self, total: ReconciliationTotal) -> str:
        return shown(total.pending_minor, total.currency)

    @display(description="Ledger")
    def ledger(self, total: ReconciliationTotal) -> str:
        return shown(total.ledger_minor, total.currency)

    @display(description="Named differences")
    def named(self, total: ReconciliationTotal) -> str:
        return shown(total.named_minor, total.currency)

    @display(description="Remainder")
    def remainder(self, total: ReconciliationTotal) -> str:
        return shown(total.remainder_minor, total.currency)

    @display(description="Not on Stripe's list")
    def unlisted(self, total: ReconciliationTotal) -> str:
        return shown(total.unlisted_minor, total.currency)


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(DurableWorkAdmin):
    """Comparisons of Stripe's statement with the books."""

    list_display = ("period", "result", "step", "transactions_read", "compared", *DurableWorkAdmin.list_display)
    readonly_fields = (
        "period", "result", "differences_link", "step", "transactions_read", "compared", "repairs", "requested_by",
        "account", "livemode", *DurableWorkAdmin.readonly_fields,
    )  # fmt: skip
    fields = readonly_fields
    inlines = (TotalInline,)
    actions_list = ("start",)

    def has_reconcile_permission(self, request: HttpRequest) -> bool:
        """Staff with the permission to reconcile may start runs."""
        return request.user.has_perm(_PERMISSION)

    @display(description="Period")
    def period(self, run: ReconciliationRun) -> str:
        since = f"{run.since:%Y-%m-%d %H:%M}" if run.since else "the beginning"
        return f"{since} to {run.until:%Y-%m-%d %H:%M} UTC"

    @display(description="Result", label={"Clean": "success", "Differences": "danger", "Under way": "info"})
    def result(self, run: ReconciliationRun) -> str:
        if not run.is_finished:
            return "Under way"
        return "Clean" if is_clean(run) else "Differences"

    @display(description="Differences")
    def differences_link(self, run: ReconciliationRun) -> str:
        url = f"{reverse('admin:payments_difference_changelist')}?run={run.pk}"
        text = f"{run.differences.count()}, of which {run.differences.open().count()} open"
        return format_html('<a class="text-primary-700 underline dark:text-primary-400" href="{}">{}</a>', url, text)

    @action(description="Reconcile now", url_path="start", permissions=["reconcile"])
    def start(self, request: HttpRequest) -> HttpResponse:
        """Ask first, then queue a run over all time."""
        if request.method == "POST":
            with_repairs = request.POST.get("repairs") == "routine"
            modes = ReconciliationRun.Repairs
            run = request_run(repairs=modes.ROUTINE if with_repairs else modes.NONE, requested_by_id=request.user.pk)
            self.log_addition(request, run, "Started a reconciliation.")
            messages.success(request, "The comparison runs in the background. Reload this page to see its progress.")
            return redirect("admin:payments_reconciliationrun_change", run.pk)
        context = {**self.admin_site.each_context(request), "title": "Reconcile now", "opts": self.opts}
        return TemplateResponse(request, "payments/admin/reconciliation_start.html", context)


class RunFilter(admin.SimpleListFilter):
    """The latest runs; the page of each run links to its differences."""

    title = "run"
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002  # Django's
        """The latest ten."""
        return [(str(run.pk), str(run)) for run in ReconciliationRun.objects.order_by("-pk")[:10]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Difference]) -> QuerySet[Difference]:  # noqa: ARG002
        """The differences of one run. What is no number matches none."""
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(run_id=int(value)) if value.isascii() and value.isdigit() else queryset.none()


@admin.register(Difference)
class DifferenceAdmin(ReadOnlyAdmin, ModelAdmin):
    """Differences between Stripe's statement and the books, each with what it means and its safe repair."""

    list_display = ("run", "kind", "shown_amount", "sentence", "is_open", "order")
    list_filter = (RunFilter, "kind", ("repaired_at", admin.EmptyFieldListFilter), "currency")
    list_select_related = ("order", "run")
    search_fields = ("match_key", "stripe_id", "journal_source", "order__number")
    readonly_fields = (
        "run", "kind", "meaning", "shown_amount", "sentence", "order_link", "object_link", "transaction_link",
        "journal_source", "repair", "repaired_at", "repaired_by", "repair_error",
    )  # fmt: skip
    fields = readonly_fields
    actions_detail = ("repair_now",)
    list_per_page = 50
    show_full_result_count = False

    def has_reconcile_permission(self, request: HttpRequest, object_id: Any = None) -> bool:  # noqa: ARG002  # unfold's
        """Staff with the permission to reconcile may make repairs."""
        return request.user.has_perm(_PERMISSION)

    @display(description="Amount", ordering="amount_minor")
    def shown_amount(self, difference: Difference) -> str:
        return shown(difference.amount_minor, difference.currency)

    @display(description="Open", boolean=True)
    def is_open(self, difference: Difference) -> bool:
        return difference.terms.needs_action and difference.repaired_at is None

    @display(description="What it means")
    def meaning(self, difference: Difference) -> str:
        return difference.terms.meaning

    @display(description="Order")
    def order_link(self, difference: Difference) -> str:
        if difference.order is None:
            return "–"
        return link_to(reverse("admin:payments_order_change", args=[difference.order.pk]), str(difference.order))

    @display(description="At Stripe")
    def object_link(self, difference: Difference) -> str:
        return link_to(dashboard_url(difference.object_id, livemode=difference.run.livemode), difference.object_id)

    @display(description="Stripe's transaction")
    def transaction_link(self, difference: Difference) -> str:
        movement = StripeMovement.objects.filter(stripe_id=difference.stripe_id).first()
        if movement is None:
            return difference.stripe_id or "–"
        return link_to(reverse("admin:payments_stripemovement_change", args=[movement.pk]), movement.stripe_id)

    @action(description="Repair", url_path="repair", permissions=["reconcile"])
    def repair_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what would be done, and do it on confirmation."""
        if not self.has_reconcile_permission(request):
            raise PermissionDenied
        difference = self.get_object(request, object_id)
        if difference is None:
            raise Http404
        if request.method == "POST":
            if difference.repair and not difference.repaired_at:
                self._repair(request, difference)
            return redirect("admin:payments_difference_change", difference.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "Repair a difference",
            "opts": self.opts,
            "difference": difference,
            "effect": REPAIRS_IN_WORDS[difference.repair],
        }
        return TemplateResponse(request, "payments/admin/difference_repair.html", context)

    def _repair(self, request: HttpRequest, difference: Difference) -> None:
        try:
            is_gone = repair_difference(difference, by_id=request.user.pk)
        except StripeUnreachable:
            messages.error(request, "Stripe does not answer. Nothing was changed; try again in a few minutes.")
            return
        self.log_change(request, difference, "Repaired" if is_gone else f"Not repaired: {difference.repair_error}")
        if is_gone:
            messages.success(request, "Repaired: Stripe and the books agree here.")
        else:
            messages.error(request, f"Not repaired. {difference.repair_error}")


REPAIRS_IN_WORDS = {
    "": "There is no safe repair. Staff must decide what happened, and correct it at Stripe or in the books.",
    "look_at_payment": "Ask Stripe for the payment, and settle the order as its event would have done.",
    "look_up_charge": "Ask Stripe for the charge, and book its fee and conversion.",
    "fetch_refund": "Ask Stripe for the refund, and record it as its event would have done.",
    "fetch_dispute": "Ask Stripe for the dispute, and record it as its event would have done.",
    "fetch_transfer": "Ask Stripe for the transfer, and record it as its event would have done.",
    "book_movement": "Book exactly this amount from Stripe's statement.",
}
