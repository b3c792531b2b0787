"""The forms of staff about codes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from payments.discounts.codes import fold
from payments.discounts.making import BATCH_AT_MOST
from payments.models import DiscountCode
from payments.registry import domains_of_carts


class DiscountCodeForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A code. The percentage is typed as people say it; the column keeps basis points."""

    percent = forms.DecimalField(
        label="Percentage",
        required=False,
        min_value=Decimal("0.01"),
        max_value=100,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Or leave it empty and give amounts by currency below.",
    )
    domain = forms.ChoiceField(
        required=False, widget=UnfoldAdminSelectWidget, help_text="Only what is sold by this domain."
    )

    class Meta:
        model = DiscountCode
        fields = (
            "code",
            "percent",
            "borne_by",
            "bearer",
            "domain",
            "reference",
            "only_teacher",
            "starts_at",
            "ends_at",
            "total_limit",
            "student_limit",
            "is_stackable",
            "is_active",
            "batch",
            "note",
        )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        sold = domains_of_carts()
        if self.instance.domain not in {"", *sold}:
            sold[self.instance.domain] = self.instance.domain  # a domain that was removed since
        self.fields["domain"].choices = [("", "Everything"), *sold.items()]  # type: ignore[attr-defined]
        if self.instance.percent_bps:
            self.initial["percent"] = Decimal(self.instance.percent_bps) / 100

    def clean_code(self) -> str:
        folded = fold(self.cleaned_data["code"])
        if not folded:
            raise forms.ValidationError("Use 3 to 40 letters A to Z, digits, hyphens and underscores.")
        return folded

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        percent = cleaned.get("percent")
        self.instance.percent_bps = int(percent * 100) if percent else None
        is_of_teacher = cleaned.get("borne_by") == DiscountCode.BorneBy.TEACHER
        if is_of_teacher and not cleaned.get("bearer"):
            self.add_error("bearer", "Say which teacher bears it.")
        if not is_of_teacher and cleaned.get("bearer"):
            self.add_error("bearer", "Leave this empty if the platform bears it.")
        if cleaned.get("reference") and not cleaned.get("domain"):
            self.add_error("domain", "Say which domain the item is of.")
        starts_at, ends_at = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts_at and ends_at and starts_at >= ends_at:
            self.add_error("ends_at", "It must end after it starts.")
        limit = cleaned.get("total_limit")
        if limit is not None and self.instance.pk and limit < self.instance.used:
            self.add_error("total_limit", f"It has been used {self.instance.used} times.")
        return cleaned


class BatchForm(forms.Form):
    """How many codes to make, and how they begin."""

    count = forms.IntegerField(
        label="How many", min_value=1, max_value=BATCH_AT_MOST, widget=UnfoldAdminIntegerFieldWidget
    )
    begin_with = forms.CharField(
        max_length=20,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Before twelve random characters.",
    )
    batch = forms.CharField(
        label="Name of the batch", max_length=60, widget=UnfoldAdminTextInputWidget, help_text="To find them again."
    )
