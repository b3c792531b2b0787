"""The page on which staff refund an order: choose, see what it will do, confirm."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.admin import ModelAdmin

from jobs.read_only_admin import ReadOnlyAdmin
from payments.admin.refund_forms import RefundForm, refund_answers
from payments.admin.refund_history import history_of
from payments.models import Order, Payment, Refund
from payments.models.order import lines_in_lock_order
from payments.refunds.decisions import AlreadyRequested, refuse_repeat, request_previewed_refund
from payments.refunds.plan import RefundRefused
from payments.refunds.preview import PreviewOutdated, basis_digest_of, preview_of_request, staleness_of
from payments.refunds.states import ENDED


class RefundPages(ReadOnlyAdmin, ModelAdmin):
    """Base of the admin of orders: the refund page, and the refunds on the order's page."""

    change_form_outer_before_template = "payments/admin/_order_refunds.html"

    def get_urls(self) -> list[URLPattern]:
        refund = path("<int:pk>/refund/", self.admin_site.admin_view(self.refund_view), name="payments_order_refund")
        return [refund, *super().get_urls()]

    def has_refund_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("payments.refund_order"))

    def render_change_form(  # noqa: PLR0913, PLR0917  # Django's signature
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Add the refunds of the order to its page."""
        if obj is not None:
            context |= {
                "payment": obj.payments.filter(status=Payment.Status.SUCCEEDED).first(),
                "refunds": history_of(obj),
                "may_refund": self.has_refund_permission(request),
                "may_allocate": request.user.has_perm("payments.allocate_refund"),
            }
        answer: HttpResponse = super().render_change_form(request, context, add, change, form_url, obj)
        return answer

    @method_decorator(never_cache)
    @method_decorator(require_http_methods(["GET", "POST"]))
    def refund_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the form with a preview of what it asks for; refund exactly what was previewed once it is confirmed."""
        if not self.has_refund_permission(request):
            raise PermissionDenied
        order = self.get_object(request, str(pk))
        if order is None:
            raise Http404
        try:
            refuse_repeat(order, _key_of(request.POST.get("token", "")))
        except AlreadyRequested as repeat:
            return self._repeated(request, order, repeat)
        again = _failed_refund(order, request.GET.get("again", ""))
        lines = lines_in_lock_order(order)
        opening = refund_answers(lines, only=request.GET.get("line", ""), again=again)
        form = RefundForm(lines, request.POST or opening, again=again)
        if not form.is_valid():
            return self._page(request, order, form, problem=_staleness(request, order))
        if request.POST.get("do") == "refund":
            return self._confirm(request, order, form)
        return self._preview(request, order, form)

    def _preview(self, request: HttpRequest, order: Order, form: RefundForm, *, problem: str = "") -> HttpResponse:
        try:
            preview = preview_of_request(order, form.wanted())
        except RefundRefused as refusal:
            form.add_error(None, str(refusal))
            return self._page(request, order, form, problem=problem)
        return self._page(request, order, form, preview=preview, problem=problem)

    def _confirm(self, request: HttpRequest, order: Order, form: RefundForm) -> HttpResponse:
        try:
            refund = request_previewed_refund(
                order_id=order.pk,
                wanted=form.wanted(),
                seen=request.POST.get("seen", ""),
                reason=Refund.Reason(form.cleaned_data["reason"]),
                note=form.cleaned_data["note"],
                request_key=_key_of(str(form.cleaned_data["token"])),
                by_id=request.user.pk or 0,
                again=form.again,
            )
        except AlreadyRequested as repeat:
            return self._repeated(request, order, repeat)
        except PreviewOutdated as stale:
            return self._preview(request, order, form, problem=str(stale))
        except RefundRefused as refusal:
            form.add_error(None, str(refusal))
            return self._page(request, order, form, problem=_staleness(request, order))
        self.log_change(request, order, f"Requested a refund of {refund.amount}: {refund.get_reason_display()}.")
        self.message_user(request, f"The refund of {refund.amount} is requested and on its way to Stripe.")
        return redirect("admin:payments_order_change", order.pk)

    def _repeated(self, request: HttpRequest, order: Order, repeat: AlreadyRequested) -> HttpResponse:
        self.message_user(request, str(repeat), messages.WARNING)
        return redirect("admin:payments_order_change", order.pk)

    def _page(self, request: HttpRequest, order: Order, form: RefundForm, **more: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Refund order {order.number}",
            "order": order,
            "order_url": reverse("admin:payments_order_change", args=[order.pk]),
            "form": form,
            **more,
        }
        return TemplateResponse(request, "payments/admin/refund_request.html", context)


def _key_of(token: str) -> str:
    """The request key of a form; empty, which no refund has, if its token is invalid."""
    try:
        return f"staff:{UUID(token)}"
    except ValueError:
        return ""


def _staleness(request: HttpRequest, order: Order) -> str:
    return staleness_of(request.POST.get("seen", ""), basis_digest_of(order))


def _failed_refund(order: Order, pk: str) -> Refund | None:
    """The failed refund of this order to make again; None if the address names none."""
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):  # noqa: PLR2004  # digits of the largest key
        return None
    return Refund.objects.filter(pk=pk, payment__order=order, status__in=ENDED).first()
