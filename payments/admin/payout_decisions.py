"""The pages on which staff decide on a payout: each shows what will happen, takes a form, and makes one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse

from accounts.models import User
from money import Money
from payments.admin.payout_forms import (
    ApproveForm,
    BankTransferForm,
    DeclineForm,
    PaidTeacherForm,
    ReturnForm,
    payable_currencies,
)
from payments.models import Payout
from payments.payouts import gateway
from payments.payouts.decisions import (
    DecisionRefused,
    approve_payout,
    decline_payout,
    pay_by_bank,
    record_bank_return,
    record_bank_transfer,
)
from payments.payouts.requests import PayoutRefused, current_account, payable_amounts
from payments.payouts.rules import Happening
from payments.stripe_api import StripeRefused, StripeUnreachable

_PERMISSION = "payments.approve_payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One page: its words, its form, and the call that it makes."""

    title: str
    button: str
    form: Callable[[Any, Payout], forms.Form]
    decide: Callable[[Payout, User, Any], object]
    consequences: Callable[[Payout], list[str]]
    is_possible: Callable[[Payout], bool]
    done: str


def _consequences_of_approval(payout: Payout) -> list[str]:
    account = current_account(payout.teacher_id)
    where = f"{account.stripe_account_id} ({account.state})" if account else "no account: approval is refused"
    return [
        f"{payout.amount} leaves the platform's Stripe balance for the teacher's account {where}.",
        _word_on_balance(payout),
        "Once it has been sent, only Stripe can return it.",
    ]


def _word_on_balance(payout: Payout) -> str:
    try:
        available = gateway.retrieve_available_balance().get(payout.currency, Money.zero(payout.currency))
    except (StripeUnreachable, StripeRefused):
        return "Stripe did not answer, so the available balance is not shown."
    if available < payout.amount:
        return (
            f"Only {available} is available at Stripe: the payout waits until there is enough, and staff are alerted."
        )
    return f"{available} is available at Stripe."


_APPROVE = Decision(
    title="Approve this payout",
    button="Approve and send",
    form=lambda data, _: ApproveForm(data),
    decide=lambda payout, by, form: approve_payout(payout_id=payout.pk, by=by, note=form.cleaned_data["note"]),
    consequences=_consequences_of_approval,
    is_possible=lambda payout: payout.may(Happening.APPROVE),
    done="Approved. It is being sent.",
)
_DECLINE = Decision(
    title="Decline this payout",
    button="Decline",
    form=lambda data, _: DeclineForm(data),
    decide=lambda payout, by, form: decline_payout(payout_id=payout.pk, by=by, reason=form.cleaned_data["reason"]),
    consequences=lambda payout: [
        f"{payout.amount} is available to the teacher again, and they can request it again.",
        "The teacher gets an email with your reason.",
    ],
    is_possible=lambda payout: payout.may(Happening.DECLINE),
    done="Declined. The teacher gets an email that says why.",
)
_RECORD = Decision(
    title="Record a bank transfer",
    button="Record a bank transfer",
    form=lambda data, payout: BankTransferForm(data, currency=payout.currency),
    decide=lambda payout, by, form: record_bank_transfer(payout_id=payout.pk, by=by, transfer=form.transfer),
    consequences=lambda payout: [
        f"The payout counts as paid: you have transferred {payout.amount} from the platform's bank.",
        "Nothing is sent by Stripe. The teacher gets an email.",
    ],
    is_possible=lambda payout: payout.may(Happening.RECORD_BANK_TRANSFER),
    done="Recorded. The teacher gets an email.",
)
_RETURN = Decision(
    title="Record that the bank sent it back",
    button="Record that it came back",
    form=lambda data, _: ReturnForm(data),
    decide=lambda payout, by, form: record_bank_return(payout_id=payout.pk, by=by, note=form.cleaned_data["note"]),
    consequences=lambda payout: [
        f"{payout.amount} is back in the platform's bank, and the teacher is owed it again.",
        "What the bank charged stays a cost of the platform. The teacher gets an email.",
    ],
    is_possible=lambda payout: not payout.is_by_transfer and payout.status == Payout.Status.PAID,
    done="Recorded. The teacher is owed the money again.",
)
_DECISIONS = {"approve": _APPROVE, "decline": _DECLINE, "record-transfer": _RECORD, "record-return": _RETURN}
_LIST = "admin:payments_payout_changelist"
_ONE = "admin:payments_payout_change"


class PayoutDecisions:
    """Put before the ModelAdmin of payouts: a page for each decision, and one for transfers that were not requested."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view  # type: ignore[attr-defined]  # ModelAdmin has it
        pages = [
            path("record-transfer/", wrap(self.record_unrequested), name="payments_payout_record"),
            path("<int:pk>/<slug:name>/", wrap(self.decide), name="payments_payout_decide"),
        ]
        known: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        # Django's own pages of a payout have the same form of address, so they come first, save for its last pattern,
        # which takes every address.
        return [*known[:-1], *pages, known[-1]]

    def decide(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Show what a decision leads to, and make it."""
        decision = _DECISIONS.get(name)
        if decision is None:
            raise Http404
        if not may_decide(request):
            raise PermissionDenied
        return self._decide(request, pk, decision)

    def _decide(self, request: HttpRequest, object_id: int, decision: Decision) -> HttpResponse:
        payout = get_object_or_404(Payout.objects.select_related("teacher__user"), pk=object_id)
        form = decision.form(request.POST if request.method == "POST" else None, payout)
        if form.is_valid():
            try:
                decision.decide(payout, cast("User", request.user), form)
            except (DecisionRefused, PayoutRefused) as refusal:
                messages.error(request, str(refusal))
                return redirect(_ONE, payout.pk)
            self.log_change(request, payout, f"{decision.title}.")  # type: ignore[attr-defined]  # ModelAdmin has it
            messages.success(request, decision.done)
            return redirect(_ONE, payout.pk)
        if not decision.is_possible(payout):
            messages.warning(request, f"This payout is {payout.get_status_display()}: that is not possible any more.")
            return redirect(_ONE, payout.pk)
        context = {
            "decision": decision,
            "payout": payout,
            "consequences": decision.consequences(payout),
            "form": form,
            "back": reverse(_ONE, args=[payout.pk]),
        }
        return _page(request, context)

    def record_unrequested(self, request: HttpRequest) -> HttpResponse:
        """Record a bank transfer to a teacher who requested none: first what would happen, then for good."""
        if not may_decide(request):
            raise PermissionDenied
        data = request.POST if request.method == "POST" else None
        paid = PaidTeacherForm(data)
        typed = request.POST.get("currency")
        currency = typed if typed in payable_currencies() else settings.DEFAULT_CURRENCY
        bank = BankTransferForm(data, currency=currency)
        context: dict[str, Any] = {"forms": [paid, bank], "back": reverse(_LIST)}
        if data is None or not (paid.is_valid() and bank.is_valid()):
            return _page(request, context)
        teacher, amount = paid.cleaned_data["teacher"], paid.cleaned_data["amount"]
        if "confirmed" not in data:
            payable = payable_amounts(teacher.pk).get(amount.currency, Money.zero(amount.currency))
            summary = [
                f"{teacher} was paid {amount} from the platform's bank.",
                f"{payable} is available to them now.",
            ]
            return _page(request, {**context, "consequences": summary, "is_preview": True})
        try:
            payout = pay_by_bank(
                teacher=teacher,
                amount=amount,
                by=cast("User", request.user),
                transfer=bank.transfer,
                reference=paid.cleaned_data["reference"],
            )
        except (DecisionRefused, PayoutRefused) as refusal:
            messages.error(request, str(refusal))
            return _page(request, context)
        self.log_change(request, payout, "Recorded a bank transfer.")  # type: ignore[attr-defined]  # ModelAdmin has it
        return redirect(_ONE, payout.pk)


def may_decide(request: HttpRequest) -> bool:
    """Whether this member of staff may decide on payouts."""
    return request.user.has_perm(_PERMISSION)


def possible_decisions(payout: Payout) -> list[dict[str, str]]:
    """The decisions that are possible now, each with its label and page."""
    return [
        {"label": decision.button, "url": reverse("admin:payments_payout_decide", args=[payout.pk, name])}
        for name, decision in _DECISIONS.items()
        if decision.is_possible(payout)
    ]


def _page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    decision = context.get("decision")
    title = decision.title if decision else "Record a bank transfer"
    button = decision.button if decision else "Record the transfer"
    status = 422 if request.method == "POST" and not context.get("is_preview") else 200
    shared = {**admin.site.each_context(request), "title": title, "button": button}
    return render(request, "payments/admin/payout_decide.html", {**shared, **context}, status=status)
