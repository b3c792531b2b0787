"""The teacher's pages about payouts: their Stripe account, requests, schedule, and what became of each payout."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.guards import TeacherRequest, teacher_required
from money import Money
from payments.earnings.maturing import when_available
from payments.models import BankPayout, Payout, PayoutSchedule
from payments.payouts.accounts import CannotStartOnboarding, refresh_account, replace_account, start_onboarding
from payments.payouts.forms import AccountForm, RequestForm, ScheduleForm
from payments.payouts.kept_back import kept_back_amounts
from payments.payouts.requests import (
    AccountNotReady,
    PayoutAlreadyOpen,
    PayoutRefused,
    available_amounts,
    current_account,
    minimum_payout,
    payable_amounts,
    request_payout,
)
from payments.payouts.schedules import choose_schedule
from payments.stripe_api import StripeRefused, StripeUnreachable

log = structlog.get_logger()

_PAYOUTS_PER_PAGE = 20
_BANK_PAYOUTS_SHOWN = 5
_STRIPE_IS_SILENT = "Stripe does not answer at the moment. Nothing was changed; please try again in a minute."


@require_GET
@never_cache
@teacher_required
def show_payouts(request: TeacherRequest) -> HttpResponse:
    """What can be paid out, where to, and every payout so far."""
    return render(request, "payments/payout_list.html", _context(request))


def _context(request: TeacherRequest, *, refused: RequestForm | None = None) -> dict[str, object]:
    teacher = request.teacher
    account = current_account(teacher.pk)
    schedule = PayoutSchedule.objects.filter(teacher=teacher).first() or PayoutSchedule(teacher=teacher)
    payouts = Payout.objects.filter(teacher=teacher).select_related("transfer__bank_payout").order_by("-pk")
    kept_back = kept_back_amounts(teacher.pk)
    open_payouts = {payout.currency: payout for payout in payouts.open()}
    return {
        "account": account,
        "account_form": AccountForm(initial={"country": account.country if account else ""}),
        "rows": [
            _row(amount, kept_back.get(currency), open_payouts.get(currency), refused)
            for currency, amount in sorted(available_amounts(teacher.pk).items())
        ],
        "schedule": schedule,
        "schedule_form": ScheduleForm(initial={"interval": schedule.interval}),
        "page": Paginator(payouts, _PAYOUTS_PER_PAGE).get_page(request.GET.get("page")),
        "when_available": when_available(),
        "bank_payouts": BankPayout.objects.filter(account__teacher=teacher)[:_BANK_PAYOUTS_SHOWN],
    }


def _row(
    available: Money, kept_back: Money | None, open_payout: Payout | None, refused: RequestForm | None
) -> dict[str, object]:
    """One currency: what is available, what of it is kept back, and the form to request the rest, or why there is none."""
    payable = available - kept_back if kept_back else available
    is_refused = refused is not None and refused.available.currency == available.currency
    least = minimum_payout(available.currency)
    return {
        "available": available,
        "debt": Money(-available.minor, available.currency) if available.minor < 0 else None,
        "kept_back": kept_back,
        "least": least,
        "open_payout": open_payout,
        "form": None if open_payout or payable < least else (refused if is_refused else RequestForm(available=payable)),
    }


@require_POST
@teacher_required
def request_money(request: TeacherRequest) -> HttpResponse:
    """Request a payout of the typed amount, or of all that is available in a currency."""
    payable = payable_amounts(request.teacher.pk).get(request.POST.get("currency", ""))
    if payable is None:
        raise Http404
    form = RequestForm(request.POST, available=payable)
    if form.is_valid():
        try:
            payout = request_payout(
                teacher=request.teacher,
                currency=payable.currency,
                amount=form.cleaned_data["amount"],
                requested_by_id=request.user.pk,
            )
        except (AccountNotReady, PayoutAlreadyOpen) as refusal:
            # The page has no form to show it beside.
            messages.warning(request, str(refusal))
            return redirect("payments:payouts")
        except PayoutRefused as refusal:
            form.add_error("amount", str(refusal))
        else:
            messages.success(request, f"You have requested {payout.amount}. We will email you when it is on its way.")
            return redirect("payments:payouts")
    return render(request, "payments/payout_list.html", _context(request, refused=form), status=422)


@require_POST
@teacher_required
def change_schedule(request: TeacherRequest) -> HttpResponse:
    """Store how often the teacher is paid."""
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose how often you want to be paid.")
        return redirect("payments:payouts")
    schedule = choose_schedule(request.teacher, PayoutSchedule.Interval(form.cleaned_data["interval"]))
    told = (
        f"Your next payout is requested on {schedule.next_on:%-d %B %Y}."
        if schedule.next_on
        else "You are paid on request."
    )
    messages.success(request, told)
    return redirect("payments:payouts")


@require_POST
@teacher_required
def begin_onboarding(request: TeacherRequest) -> HttpResponse:
    """Send the teacher to Stripe's form; creates their account first if they have none, or if they want another."""
    begin = replace_account if request.POST.get("another") else start_onboarding
    return _to_stripe(request, begin, country=request.POST.get("country", ""))


@require_GET
@never_cache
@teacher_required
def renew_onboarding(request: TeacherRequest) -> HttpResponse:
    """Where Stripe sends a teacher whose link has expired or was used: on to a new link."""
    if current_account(request.teacher.pk) is None:
        return redirect("payments:payouts")
    return _to_stripe(request, start_onboarding, country="")


def _to_stripe(request: TeacherRequest, begin: Callable[..., str], *, country: str) -> HttpResponse:
    try:
        address = begin(
            request.teacher,
            country=country,
            return_url=f"{settings.BASE_URL}{reverse('payments:account_return')}",
            refresh_url=f"{settings.BASE_URL}{reverse('payments:account_renew')}",
        )
    except CannotStartOnboarding as problem:
        messages.error(request, str(problem))
    except StripeUnreachable:
        messages.error(request, _STRIPE_IS_SILENT)
    except StripeRefused as refusal:
        log.warning("onboarding_refused", teacher=request.teacher.pk, problem=repr(refusal))
        messages.error(request, f"Stripe cannot set up your account: {refusal}")
    else:
        return redirect(address)
    return redirect("payments:payouts")


@require_GET
@never_cache
@teacher_required
def return_from_onboarding(request: TeacherRequest) -> HttpResponse:
    """The page to which Stripe sends the teacher afterwards. Being here says nothing, so Stripe is asked."""
    account = current_account(request.teacher.pk)
    if account is None:
        return redirect("payments:payouts")
    try:
        account = refresh_account(account)
    except (StripeUnreachable, StripeRefused):
        messages.info(request, "Thank you. This page shows the state of your account as soon as Stripe reports it.")
    else:
        if account.can_be_paid:
            messages.success(request, "Your Stripe account is ready: you can be paid.")
        elif account.are_details_submitted:
            messages.info(request, "Thank you. Stripe is checking your details, which may take a few minutes.")
        else:
            messages.warning(request, "Stripe needs more details before it can pay you. You can continue at any time.")
    return redirect("payments:payouts")


@require_GET
@never_cache
@teacher_required
def show_payout(request: TeacherRequest, reference: uuid.UUID) -> HttpResponse:
    """One payout and its history."""
    payouts = Payout.objects.select_related("transfer__bank_payout", "transfer__account")
    payout = get_object_or_404(payouts, reference=reference, teacher=request.teacher)
    transfer = getattr(payout, "transfer", None)
    context = {
        "payout": payout,
        "bank_payout": transfer.bank_payout if transfer else None,
        "steps": payout.steps.all(),
        "kept": payout.amount - payout.returned,
    }
    return render(request, "payments/payout_show.html", context)
