"""Two small pages with one question each: refund a second payment again, and take back what a refund left a student."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from jobs.admin import DurableWorkAdmin
from payments.models import Order, OrderLine, Refund, RefundAllocation
from payments.refunds.decisions import repeat_refund_of_second_payment, take_back_units
from payments.refunds.plan import RefundRefused
from payments.registry import revoke_words


class NoteForm(forms.Form):
    """Why staff do it."""

    note = forms.CharField(
        max_length=150, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), label="Why"
    )


class RepeatForm(NoteForm):
    """A second payment is refunded again in full, so there is nothing to choose."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    field_order = ("note", "token")


class TakeBackForm(NoteForm):
    """How many units are taken back."""

    units = forms.IntegerField(min_value=1, label="How many", widget=UnfoldAdminIntegerFieldWidget())
    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    field_order = ("units", "note", "seen")


class RepairPages(DurableWorkAdmin):
    """Base of the admin of refunds: the two pages."""

    def get_urls(self) -> list[URLPattern]:
        again = self.admin_site.admin_view(self.again_view)
        take_back = self.admin_site.admin_view(self.take_back_view)
        return [
            path("<int:pk>/again/", again, name="payments_refund_again"),
            path("<int:pk>/take-back/<int:part_pk>/", take_back, name="payments_refund_take_back"),
            *super().get_urls(),
        ]

    @method_decorator(never_cache)
    @method_decorator(require_http_methods(["GET", "POST"]))
    def again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Refund a second payment again whose refund failed."""
        refund = self._refund(request, pk)
        if refund.is_live or refund.reason != Refund.Reason.SECOND_PAYMENT:
            raise Http404
        form = RepeatForm(request.POST or None, initial={"token": uuid4()})
        if request.method == "POST" and form.is_valid():
            return self._carry_out(
                request,
                refund.payment.order,
                f"The refund of {refund.amount} is requested and on its way to Stripe.",
                lambda: repeat_refund_of_second_payment(
                    refund_id=refund.pk,
                    note=form.cleaned_data["note"],
                    request_key=f"staff:{form.cleaned_data['token']}",
                    by_id=request.user.pk or 0,
                ),
            )
        text = f"The order was paid twice, and the refund of the second payment failed ({refund.failure_reason or 'no reason given'})."
        facts = [text, f"The student gets {refund.amount}. It affects no order line and no teacher's share."]
        return self._question(request, refund, form, facts=facts, button=f"Refund {refund.amount} again")

    @method_decorator(never_cache)
    @method_decorator(require_http_methods(["GET", "POST"]))
    def take_back_view(self, request: HttpRequest, pk: int, part_pk: int) -> HttpResponse:
        """Take back what a refund paid back without returning it."""
        refund = self._refund(request, pk)
        part = refund.allocations.select_related("line").filter(pk=part_pk).first()
        if part is None or not can_be_taken_back(refund, part):
            raise Http404
        line = part.line
        left = line.quantity - line.revoked_quantity
        form = TakeBackForm(request.POST or None, initial={"units": left, "seen": line.revoked_quantity})
        if request.method == "POST" and form.is_valid():
            return self._carry_out(
                request,
                refund.payment.order,
                f"Taken back: {form.cleaned_data['units']} of {line.title}.",
                lambda: take_back_units(
                    part_id=part.pk,
                    units=form.cleaned_data["units"],
                    seen=form.cleaned_data["seen"],
                    note=form.cleaned_data["note"],
                    by_id=request.user.pk or 0,
                ),
            )
        facts = [
            f"{line.title}: {part.amount} was refunded, but the student still has {left} of {line.quantity}.",
            "No money moves. This cannot be undone.",
        ]
        return self._question(request, refund, form, facts=facts, button=revoke_words(line.domain, left))

    def _refund(self, request: HttpRequest, pk: int) -> Refund:
        if not request.user.has_perm("payments.refund_order"):
            raise PermissionDenied
        refund: Refund | None = self.get_object(request, str(pk))
        if refund is None:
            raise Http404
        return refund

    def _carry_out(self, request: HttpRequest, order: Order, done: str, action: Any) -> HttpResponse:
        try:
            action()
        except RefundRefused as refusal:
            self.message_user(request, str(refusal), messages.WARNING)
        else:
            self.log_change(request, order, done)
            self.message_user(request, done)
        return redirect("admin:payments_order_change", order.pk)

    def _question(self, request: HttpRequest, refund: Refund, form: NoteForm, **more: Any) -> HttpResponse:
        order = refund.payment.order
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": more["button"],
            "order": order,
            "order_url": reverse("admin:payments_order_change", args=[order.pk]),
            "form": form,
            **more,
        }
        return TemplateResponse(request, "payments/admin/refund_confirm.html", context)


def can_be_taken_back(refund: Refund, part: RefundAllocation) -> bool:
    """Whether the refund paid a line back, but the student still has units of it."""
    line: OrderLine = part.line
    return refund.has_succeeded and line.is_delivered and part.quantity == 0
