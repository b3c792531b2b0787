"""The forms of staff about payouts, drawn as the admin's."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.canonical_addresses import AddressField
from accounts.models import Teacher
from ledger.entries import AccountKind
from ledger.models import Account
from money import Money
from money.form_fields import AmountField
from payments.payouts.decisions import BankTransfer


class ApproveForm(forms.Form):
    """A note with the approval."""

    note = forms.CharField(
        max_length=300, required=False, widget=UnfoldAdminTextInputWidget, help_text="For staff. May stay empty."
    )


class DeclineForm(forms.Form):
    """Why staff decline."""

    reason = forms.CharField(
        max_length=300, widget=UnfoldAdminTextareaWidget, help_text="The teacher reads it in an email."
    )


class ReturnForm(forms.Form):
    """Why a bank transfer came back."""

    note = forms.CharField(max_length=300, label="What the bank said", widget=UnfoldAdminTextInputWidget)


class BankTransferForm(forms.Form):
    """A transfer that staff made at the platform's bank, in a currency that is known."""

    paid_on = forms.DateField(
        label="Day of the transfer",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        initial=timezone.localdate,
    )
    last_four = forms.RegexField(
        r"^[0-9A-Za-z]{4}\Z",
        label="Last four characters of the teacher's account number",
        widget=UnfoldAdminTextInputWidget(attrs={"maxlength": 4, "autocomplete": "off"}),
        error_messages={"invalid": "Enter exactly four letters or digits."},
    )
    note = forms.CharField(
        max_length=300,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="For staff, such as the bank's reference. May stay empty.",
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, currency: str) -> None:
        super().__init__(data)
        self.currency = currency
        self.fields["fee"] = AmountField(
            currency=currency,
            label=f"What the bank charged the platform, in {currency}",
            required=False,
            min_value=0,
            widget=UnfoldAdminTextInputWidget,
            help_text="It costs the teacher nothing. May stay empty.",
        )

    def clean_paid_on(self) -> Any:
        day = self.cleaned_data["paid_on"]
        if day > timezone.localdate():
            raise ValidationError("This day is in the future.")
        return day

    @property
    def transfer(self) -> BankTransfer:
        """What was entered. Only after the form was found valid."""
        entered = self.cleaned_data
        return BankTransfer(
            paid_on=entered["paid_on"],
            last_four=entered["last_four"],
            fee=entered["fee"] or Money.zero(self.currency),
            note=entered["note"],
        )


def payable_currencies() -> list[str]:
    """The currencies of this site, and others that teachers have earned in: nothing may be sold in them any more."""
    earned_in = Account.objects.filter(kind=AccountKind.TEACHER_AVAILABLE).values_list("currency", flat=True)
    return list(dict.fromkeys([*settings.CURRENCIES, *sorted(earned_in.distinct())]))


class PaidTeacherForm(forms.Form):
    """Whom staff paid by bank transfer without a request, and how much. Its value is a teacher and an amount."""

    teacher = AddressField(label="The teacher's email address", widget=UnfoldAdminEmailInputWidget)
    currency = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    amount = forms.CharField(max_length=40, widget=UnfoldAdminTextInputWidget, help_text="Such as 12.50.")
    # Identifies what the form records, so that one that is sent twice records it once.
    reference = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        field = self.fields["currency"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # declared just above
        field.choices = [(code, code) for code in payable_currencies()]

    def clean_teacher(self) -> Teacher:
        teacher = (
            Teacher.objects.select_related("user").filter(user__email__iexact=self.cleaned_data["teacher"]).first()
        )
        if teacher is None:
            raise ValidationError("No teacher has this address.")
        return teacher

    def clean(self) -> dict[str, Any]:
        entered = self.cleaned_data
        if "currency" in entered and "amount" in entered:
            try:
                entered["amount"] = AmountField(currency=entered["currency"]).clean(entered["amount"])
            except ValidationError as error:
                self.add_error("amount", error)
        return entered
