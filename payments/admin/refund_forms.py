"""The forms with which staff say what to refund, and to which lines a refund made at Stripe belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from money import Money
from money.form_fields import DIGITS_OF_A_CHARGE, AmountField
from payments.models import OrderLine, Refund
from payments.refunds.plan import LinePart, OfLines, OverAllLines, RefundRefused, Wanted, plan_refund
from payments.registry import revoke_words

BY_LINE, SPREAD = "lines", "spread"
NOTHING, ALL, PLACES, AMOUNT = "nothing", "all", "places", "amount"
_REASONS = (Refund.Reason.STUDENT_CANCELLED, Refund.Reason.TEACHER_CANCELLED, Refund.Reason.GOODWILL)
_NOTE_LENGTH = 300


class RefundAmountField(AmountField):
    """An amount to refund, more than zero; may stay empty."""

    def __init__(self, *, currency: str, **options: Any) -> None:
        super().__init__(
            currency=currency,
            max_digits=DIGITS_OF_A_CHARGE,
            widget=UnfoldAdminTextInputWidget,
            required=False,
            **options,
        )

    def check_amount(self, amount: Money) -> None:
        if amount.minor <= 0:
            raise ValidationError("The amount of a refund must be more than zero.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """The fields of one line, for the template."""

    line: OrderLine
    what: forms.BoundField | None
    places: forms.BoundField
    amount: forms.BoundField
    takes_back: forms.BoundField | None


class LinesForm(forms.Form):
    """The fields that both forms have for each line, named after the line's key."""

    note = forms.CharField(
        max_length=_NOTE_LENGTH, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), label="Why"
    )

    def __init__(self, lines: Sequence[OrderLine], data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.lines = lines
        for line in self.open_lines:
            self.add_line(line)

    @property
    def open_lines(self) -> list[OrderLine]:
        """The lines of which anything can be refunded."""
        return [line for line in self.lines if line.refundable.minor]

    def add_line(self, line: OrderLine) -> None:
        left = line.quantity - line.refunded_quantity
        name = name_of(line)
        self.fields[f"{name}_places"] = forms.IntegerField(
            min_value=0,
            max_value=left,
            required=False,
            label=f"Places ({left} left)",
            widget=UnfoldAdminIntegerFieldWidget(),
            error_messages={
                "invalid": "Enter a whole number of places.",
                "min_value": "The number of places cannot be negative.",
                "max_value": f"Only {left} can be returned.",
            },
        )
        self.fields[f"{name}_amount"] = RefundAmountField(
            currency=line.amount.currency, label=f"Amount ({line.refundable} left)"
        )

    def rows(self) -> list[LineRow]:
        """The lines with their fields."""
        return [
            LineRow(
                line=line,
                what=self._bound(line, "what"),
                places=self[f"{name_of(line)}_places"],
                amount=self[f"{name_of(line)}_amount"],
                takes_back=self._bound(line, "takes_back"),
            )
            for line in self.open_lines
        ]

    def wanted(self) -> Wanted:
        """What a valid form asks for."""
        wanted: Wanted = self.cleaned_data["wanted"]
        return wanted

    def answer(self, line: OrderLine, field: str) -> Any:
        return self.cleaned_data.get(f"{name_of(line)}_{field}")

    def check(self, wanted: Wanted, *, field: str | None) -> None:
        """Show why a plan is refused, beside the field it comes from."""
        try:
            plan_refund(self.lines, wanted)
        except RefundRefused as refusal:
            self.add_error(field, str(refusal))

    def _bound(self, line: OrderLine, field: str) -> forms.BoundField | None:
        name = f"{name_of(line)}_{field}"
        return self[name] if name in self.fields else None


class RefundForm(LinesForm):
    """What to refund of an order, why, and whether the student keeps what they bought."""

    how = forms.ChoiceField(
        choices=[(BY_LINE, "Choose for each line"), (SPREAD, "Spread an amount over all lines")],
        widget=UnfoldAdminRadioSelectWidget(),
        label="What to refund",
    )
    reason = forms.ChoiceField(widget=UnfoldAdminSelectWidget())
    token = forms.UUIDField(widget=forms.HiddenInput)
    field_order = ("how", "reason", "note", "token")

    def __init__(self, lines: Sequence[OrderLine], data: Mapping[str, Any], *, again: Refund | None = None) -> None:
        super().__init__(lines, data)
        self.again = again
        reasons = list(_REASONS)
        if again and again.reason not in (*_REASONS, *Refund.REASONS_WITHOUT_LINES):
            reasons.append(Refund.Reason(again.reason))
        self.fields["reason"].choices = [(reason.value, _capitalised(reason.label)) for reason in reasons]  # type: ignore[attr-defined]
        self.fields["spread_amount"] = RefundAmountField(
            currency=lines[0].amount.currency, label="Amount over all lines"
        )

    def add_line(self, line: OrderLine) -> None:
        super().add_line(line)
        left = line.quantity - line.refunded_quantity
        places = f", {left} places" if left > 1 else ""
        choices = [(NOTHING, "Nothing"), (ALL, f"All that is left: {line.refundable}{places}")]
        if left > 1:
            choices.append((PLACES, "Some places"))
        choices.append((AMOUNT, "An amount"))
        name = name_of(line)
        self.fields[f"{name}_what"] = forms.ChoiceField(choices=choices, widget=UnfoldAdminRadioSelectWidget())
        self.fields[f"{name}_takes_back"] = forms.BooleanField(
            required=False,
            label=revoke_words(line.domain, line.quantity - line.revoked_quantity),
            widget=UnfoldBooleanWidget(),
        )

    def clean(self) -> dict[str, Any]:
        self._forget_unused_fields()
        if self.errors:
            return self.cleaned_data
        if self.cleaned_data["how"] == SPREAD:
            self.cleaned_data["wanted"] = self._spread()
        else:
            parts = [part for line in self.open_lines if (part := self._part_of(line))]
            if not parts and not self.errors:
                self.add_error(None, "Choose at least one line.")
            self.cleaned_data["wanted"] = OfLines(parts)
        return self.cleaned_data

    def _forget_unused_fields(self) -> None:
        """Drop the errors of fields that the page does not show with these choices."""
        used = {"how", "reason", "note", "token"}
        if self.cleaned_data.get("how") == SPREAD:
            used.add("spread_amount")
        else:
            for line in self.open_lines:
                name, what = name_of(line), self.answer(line, "what")
                used |= {f"{name}_what", f"{name}_takes_back"}
                used |= {PLACES: {f"{name}_places"}, AMOUNT: {f"{name}_places", f"{name}_amount"}}.get(what, set())
        for name in self.errors.keys() - used:
            del self.errors[name]

    def _spread(self) -> Wanted | None:
        amount = self.cleaned_data["spread_amount"]
        if amount is None:
            self.add_error("spread_amount", "Enter the amount.")
            return None
        self.check(OverAllLines(amount), field="spread_amount")
        return OverAllLines(amount)

    def _part_of(self, line: OrderLine) -> LinePart | None:
        what, name = self.answer(line, "what"), name_of(line)
        if what == NOTHING:
            return None
        places, amount = self.answer(line, "places"), self.answer(line, "amount")
        if what == PLACES and not places:
            self.add_error(f"{name}_places", "Enter how many places.")
            return None
        if what == AMOUNT and amount is None:
            self.add_error(f"{name}_amount", "Enter the amount.")
            return None
        part = LinePart(
            line_id=line.pk,
            amount=amount if what == AMOUNT else None,
            quantity={ALL: None, PLACES: places, AMOUNT: places or 0}[what],
            keeps_places=not self.answer(line, "takes_back"),
        )
        self.check(OfLines([part]), field={ALL: None, PLACES: f"{name}_places", AMOUNT: f"{name}_amount"}[what])
        return part


class AllocationForm(LinesForm):
    """To which lines a refund made at Stripe belongs, and how many places go back with it."""

    def clean(self) -> dict[str, Any]:
        if self.errors:
            return self.cleaned_data
        parts = []
        for line in self.open_lines:
            amount, places = self.answer(line, "amount"), self.answer(line, "places") or 0
            if amount is not None:
                parts.append(LinePart(line_id=line.pk, amount=amount, quantity=places))
                self.check(OfLines(parts[-1:]), field=f"{name_of(line)}_amount")
            elif places:
                self.add_error(f"{name_of(line)}_amount", "Places go back with an amount. Enter the amount, too.")
        if not parts and not self.errors:
            self.add_error(None, "Enter an amount for at least one line.")
        self.cleaned_data["wanted"] = OfLines(parts)
        return self.cleaned_data


def name_of(line: OrderLine) -> str:
    """The beginning of the names of a line's fields."""
    return f"line{line.pk}"


def refund_answers(lines: Sequence[OrderLine], *, only: str = "", again: Refund | None = None) -> dict[str, Any]:
    """The answers with which the form opens: all that is left, of one line if `only` names it, or what failed before."""
    answers: dict[str, Any] = {
        "how": BY_LINE,
        "reason": again.reason
        if again and again.reason not in Refund.REASONS_WITHOUT_LINES
        else Refund.Reason.GOODWILL,
        "note": again.note if again else "",
        "token": str(uuid4()),
    }
    for line in lines:
        is_chosen = not again and only in ("", str(line.pk))
        answers |= {f"{name_of(line)}_what": ALL if is_chosen else NOTHING, f"{name_of(line)}_takes_back": "on"}
    for part in again.allocations.all() if again else ():
        name = name_of(part.line)
        answers |= {
            f"{name}_what": AMOUNT,
            f"{name}_amount": str(part.amount.to_major()),
            f"{name}_places": str(part.quantity),
        }
    return answers


def allocation_answers(parts: Sequence[Any]) -> dict[str, Any]:
    """The answers with which the form opens: the proposed amount of each line, and no places."""
    return {f"{name_of(part.line)}_amount": str(part.amount.to_major()) for part in parts}


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
