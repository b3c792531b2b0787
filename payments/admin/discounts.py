"""Codes, their uses, and what they cost."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from accounts.labelled_inline import LabelledInline
from jobs.read_only_admin import ReadOnlyAdmin
from money.price_rows import PriceRowForm
from payments.admin.discount_forms import BatchForm, DiscountCodeForm
from payments.discounts.download import codes_as_csv
from payments.discounts.making import CodeNotMade, make_batch
from payments.discounts.words import given_by, scope_in_words, terms_in_words
from payments.models import DiscountAmount, DiscountCode, Redemption


class DiscountAmountRow(PriceRowForm):
    """The terms of a code in one currency."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "least_spend_minor" in self.fields:  # not where staff may only look
            self.fields["least_spend_minor"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("least_spend_minor") is None and "least_spend_minor" in cleaned:
            cleaned["least_spend_minor"] = 0
        return cleaned


class DiscountAmountRows(forms.BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    """A percentage needs no rows; a code without one needs an amount in each of its rows, and at least one."""

    def clean(self) -> None:
        super().clean()
        rows = [form.cleaned_data for form in self.forms if form.is_valid() and not form.cleaned_data.get("DELETE")]
        offs = [row.get("off_minor") for row in rows if row]
        if self.instance.percent_bps and any(offs):
            raise ValidationError("Give a percentage, or amounts off, not both.")
        if not self.instance.percent_bps and not (offs and all(offs)):
            raise ValidationError("Give a percentage, or what comes off in each currency.")


class DiscountAmountInline(LabelledInline):
    model = DiscountAmount
    form = DiscountAmountRow
    formset = DiscountAmountRows
    extra = 0
    verbose_name_plural = "By currency"


@admin.register(DiscountCode)
class DiscountCodeAdmin(ModelAdmin):
    """Codes of the platform and of teachers. Orders keep what they were promised, whatever is changed here."""

    form = DiscountCodeForm
    inlines = (DiscountAmountInline,)
    list_display = ("code", "shown_terms", "shown_scope", "borne_by", "used", "total_limit", "is_active", "ends_at")
    list_filter = ("borne_by", "is_active", "domain", "batch")
    list_select_related = ("bearer", "only_teacher")
    search_fields = ("code", "note", "batch", "bearer__user__email")
    autocomplete_fields = ("only_teacher", "bearer")
    readonly_fields = ("used", "shown_statistics", "created_by", "created_at")
    actions_detail = ("make_many",)
    actions = ("download",)

    def get_readonly_fields(self, _request: HttpRequest, obj: DiscountCode | None = None) -> tuple[str, ...]:
        """A new code has not been used, and its moment comes from the database."""
        return self.readonly_fields if obj else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[DiscountCode]:
        codes: QuerySet[DiscountCode] = super().get_queryset(request)
        return codes.prefetch_related("amounts")

    def save_model(self, request: HttpRequest, obj: DiscountCode, form: Any, change: bool) -> None:
        if change:
            # All but what the trigger counts, which may have changed since the page was opened.
            obj.save(
                update_fields=[name for name in DiscountCodeForm.Meta.fields if name != "percent"] + ["percent_bps"]
            )
        else:
            obj.created_by_id = request.user.pk
            super().save_model(request, obj, form, change)

    @display(description="Discount")
    def shown_terms(self, code: DiscountCode) -> str:
        return terms_in_words(code)

    @display(description="For")
    def shown_scope(self, code: DiscountCode) -> str:
        teacher = code.bearer or code.only_teacher
        return f"{scope_in_words(code)} of {teacher}" if teacher else scope_in_words(code)

    @display(description="So far")
    def shown_statistics(self, code: DiscountCode) -> str:
        """Paid orders that used it, what it took off, and holds under way."""
        uses, amounts = given_by([code]).get(code.pk, (0, []))
        held = code.redemptions.filter(state=Redemption.State.HELD).count()
        off = ", ".join(map(str, amounts)) or "nothing"
        return f"Paid orders: {uses}. Taken off: {off}. Waiting for a payment: {held}."

    @admin.action(description="Download as CSV", permissions=["view"])
    def download(self, _request: HttpRequest, codes: QuerySet[DiscountCode]) -> HttpResponse:
        """The chosen codes, to print or to mail them. The filter by batch and 'select all' choose all of a batch."""
        return HttpResponse(
            codes_as_csv(codes),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="discount-codes.csv"'},
        )

    def has_make_many_permission(self, request: HttpRequest, object_id: Any = None) -> bool:  # noqa: ARG002  # unfold's call
        """As for a single code."""
        return bool(self.has_add_permission(request))

    @action(description="Make many like this", url_path="batch", permissions=["make_many"])
    def make_many(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make codes with the same terms, each for one use."""
        if not self.has_make_many_permission(request):
            raise PermissionDenied
        like = self.get_object(request, object_id)
        if like is None:
            raise Http404
        form = BatchForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                codes = make_batch(
                    like,
                    count=form.cleaned_data["count"],
                    prefix=form.cleaned_data["begin_with"],
                    batch=form.cleaned_data["batch"],
                    by_id=request.user.pk or 0,
                )
            except CodeNotMade as problem:
                form.add_error("begin_with", str(problem))
            else:
                self.log_change(request, like, f"Made {len(codes)} codes like this: {codes[0].batch}")
                messages.success(request, f"Made {len(codes)} codes.")
                return redirect(f"{reverse('admin:payments_discountcode_changelist')}?batch={codes[0].batch}")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Make many codes like {like}",
            "opts": self.opts,
            "form": form,
            "code": like,
        }
        return TemplateResponse(request, "payments/admin/discount_batch.html", context)


@admin.register(Redemption)
class RedemptionAdmin(ReadOnlyAdmin, ModelAdmin):
    """Each use of a code by an order."""

    list_display = ("code", "order", "user", "shown_discount", "state", "created_at")
    list_filter = ("state", "currency")
    list_select_related = ("code", "order", "user")
    search_fields = ("code__code", "order__number", "user__email")
    date_hierarchy = "created_at"
    fields = readonly_fields = ("code", "order", "user", "shown_discount", "state", "created_at", "decided_at")

    @display(description="Discount")
    def shown_discount(self, use: Redemption) -> str:
        return str(use.discount)
