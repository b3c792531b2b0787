"""The page on which staff allocate a refund made at Stripe to the lines it belongs to."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from jobs.admin import DurableWorkAdmin
from payments.admin.refund_forms import AllocationForm, allocation_answers
from payments.models import Refund
from payments.models.order import lines_in_lock_order
from payments.refunds.allocations import propose_allocation
from payments.refunds.decisions import NothingToAllocate, allocate_refund, preview_of_allocation
from payments.refunds.plan import RefundRefused
from payments.refunds.preview import PreviewOutdated, basis_digest_of, staleness_of


class AllocationPages(DurableWorkAdmin):
    """Base of the admin of refunds: the allocation page."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.allocate_view)
        return [path("<int:pk>/allocate/", view, name="payments_refund_allocate"), *super().get_urls()]

    def has_allocate_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("payments.allocate_refund"))

    @method_decorator(never_cache)
    @method_decorator(require_http_methods(["GET", "POST"]))
    def allocate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the proposal with its preview; allocate exactly what was previewed once it is confirmed."""
        if not self.has_allocate_permission(request):
            raise PermissionDenied
        refund = self.get_object(request, str(pk))
        if refund is None or refund.reason != Refund.Reason.MADE_AT_STRIPE:
            raise Http404
        lines = lines_in_lock_order(refund.payment.order)
        try:
            answers = request.POST or allocation_answers(propose_allocation(refund, lines))
        except RefundRefused:
            # Nothing is left to propose; the preview says why.
            answers = {"note": ""}
        form = AllocationForm(lines, answers)
        if not refund.needs_allocation:
            return self._finished(request, refund)
        if not form.is_valid():
            return self._page(request, refund, form, problem=_staleness(request, refund))
        if request.POST.get("do") == "allocate":
            return self._confirm(request, refund, form)
        return self._preview(request, refund, form)

    def _preview(
        self, request: HttpRequest, refund: Refund, form: AllocationForm, *, problem: str = ""
    ) -> HttpResponse:
        try:
            preview = preview_of_allocation(refund, form.wanted())
        except RefundRefused as refusal:
            form.add_error(None, str(refusal))
            return self._page(request, refund, form, problem=problem)
        return self._page(request, refund, form, preview=preview, problem=problem)

    def _confirm(self, request: HttpRequest, refund: Refund, form: AllocationForm) -> HttpResponse:
        try:
            allocate_refund(
                refund_id=refund.pk,
                wanted=form.wanted(),
                seen=request.POST.get("seen", ""),
                note=form.cleaned_data["note"],
                by_id=request.user.pk or 0,
            )
        except NothingToAllocate:
            return self._finished(request, Refund.objects.get(pk=refund.pk))
        except PreviewOutdated as stale:
            return self._preview(request, refund, form, problem=str(stale))
        except RefundRefused as refusal:
            form.add_error(None, str(refusal))
            return self._page(request, refund, form, problem=_staleness(request, refund))
        self.log_change(request, refund, "Allocated to lines.")
        self.message_user(request, f"The refund of {refund.amount} is allocated.")
        return redirect("admin:payments_order_change", refund.payment.order_id)

    def _finished(self, request: HttpRequest, refund: Refund) -> HttpResponse:
        """Say who was faster, or that the refund has failed."""
        text = "This refund has failed, so there is nothing to allocate."
        if refund.is_live:
            change = refund.changes.filter(kind="allocated").select_related("by").first()
            text = f"This refund is allocated already{f', by {change.by}' if change and change.by else ''}."
        self.message_user(request, text, messages.WARNING)
        return redirect("admin:payments_order_change", refund.payment.order_id)

    def _page(self, request: HttpRequest, refund: Refund, form: AllocationForm, **more: Any) -> HttpResponse:
        order = refund.payment.order
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Allocate a refund of {refund.amount}",
            "refund": refund,
            "order": order,
            "order_url": reverse("admin:payments_order_change", args=[order.pk]),
            "form": form,
            **more,
        }
        return TemplateResponse(request, "payments/admin/refund_allocate.html", context)


def _staleness(request: HttpRequest, refund: Refund) -> str:
    return staleness_of(request.POST.get("seen", ""), basis_digest_of(refund.payment.order, refund))
