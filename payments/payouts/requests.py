"""Request payouts: checked under the lock of the teacher's accounts, so that the same money is never promised twice."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.db import transaction

from accounts.models import Teacher
from ledger.balances import balance_of, balances_of_teacher
from ledger.entries import AccountKind
from ledger.locks import lock_teacher_accounts
from money import Money
from money.limits import largest_payable, limits_of, smallest_payable
from payments.models import ConnectedAccount, Payout
from payments.payouts.kept_back import kept_back_amounts
from payments.payouts.steps import begin


class PayoutRefused(Exception):
    """The payout cannot be requested. The message is for the person."""


class BelowMinimum(PayoutRefused):
    """Below the minimum payout. It stays in the balance, and counts towards the next payout."""


class MoreThanAvailable(PayoutRefused):
    """More was asked for than is available."""


class NotPayable(PayoutRefused):
    """Not a positive amount, or finer than banks pay in the currency."""


class PayoutAlreadyOpen(PayoutRefused):
    """Another payout of the teacher in the currency is not finished yet."""


class AccountNotReady(PayoutRefused):
    """The teacher has no Stripe account that can be paid."""


def minimum_payout(currency: str) -> Money:
    """The minimum payout in a currency: never less than a bank can be paid."""
    minor = settings.PAYOUT_MINIMUMS.get(currency)
    return max(Money(minor, currency) if minor else limits_of(currency).least, smallest_payable(currency))


def current_account(teacher_id: int) -> ConnectedAccount | None:
    """The Stripe account that a teacher's payouts go to."""
    return ConnectedAccount.objects.filter(teacher_id=teacher_id, replaced_at=None).first()


def available_amounts(teacher_id: int) -> Mapping[str, Money]:
    """What is available to a teacher, per currency; less than zero is a debt. Not all of it may be payable."""
    balances = balances_of_teacher(teacher_id)
    return {currency: amount for (kind, currency), amount in balances.items() if kind == AccountKind.TEACHER_AVAILABLE}


def payable_amounts(teacher_id: int) -> Mapping[str, Money]:
    """What a teacher can be paid, per currency: what is available, without what a refund may still take."""
    kept_back = kept_back_amounts(teacher_id)
    return {
        currency: amount - kept_back.get(currency, Money.zero(currency))
        for currency, amount in available_amounts(teacher_id).items()
    }


def request_payout(
    *,
    teacher: Teacher,
    currency: str,
    amount: Money | None = None,
    requested_by_id: int | None = None,
    origin: Payout.Origin = Payout.Origin.TEACHER,
) -> Payout:
    """Claim an amount, or all that is available, for a payout that staff decide on. Raises PayoutRefused."""
    check_account_ready(teacher)
    with transaction.atomic():
        wanted = claimable(teacher, currency, amount, least=minimum_payout(currency))
        payout = Payout.objects.create(
            teacher=teacher,
            amount_minor=wanted.minor,
            currency=currency,
            origin=origin,
            requested_by_id=requested_by_id,
        )
        begin(payout, by_id=requested_by_id)
    return payout


def check_account_ready(teacher: Teacher) -> ConnectedAccount:
    """The account that is paid. Raises AccountNotReady, with what the teacher can do."""
    account = current_account(teacher.pk)
    if account is None:
        raise AccountNotReady("Set up your Stripe account first: payouts go there.")
    if account.can_be_paid:
        return account
    reasons = {
        "closed": "Your Stripe account was closed. Set up a new one.",
        "incomplete": "Your Stripe account is not complete yet. Continue at Stripe.",
        "restricted": "Stripe needs more details before it can pay you. Continue at Stripe.",
    }
    raise AccountNotReady(reasons.get(account.state, "Stripe is still checking your details."))


def claimable(teacher: Teacher, currency: str, amount: Money | None, *, least: Money) -> Money:
    """The amount that may be claimed now, with the teacher's accounts locked for it. Raises PayoutRefused."""
    if amount is not None:
        _check_payable(amount, currency)
    lock_teacher_accounts([teacher.pk], currency)
    # Read after the lock: the claim of another request has been committed by now.
    if Payout.objects.open().filter(teacher=teacher, currency=currency).exists():
        raise PayoutAlreadyOpen(f"A payout in {currency} is already under way. Ask again once it is finished.")
    kept_back = kept_back_amounts(teacher.pk).get(currency, Money.zero(currency))
    payable = balance_of(AccountKind.TEACHER_AVAILABLE, currency, teacher_id=teacher.pk) - kept_back
    beside = f" {kept_back} is kept back for a refund." if kept_back.minor else ""
    wanted = largest_payable(payable) if amount is None and payable.minor > 0 else amount
    if wanted is None or wanted.minor <= 0 or payable < least:
        raise BelowMinimum(f"The minimum payout is {least}; {payable} is available.{beside}")
    if payable < wanted:
        raise MoreThanAvailable(f"Only {payable} is available.{beside}")
    if wanted < least:
        raise BelowMinimum(f"The minimum payout is {least}.")
    return wanted


def _check_payable(amount: Money, currency: str) -> None:
    if amount.currency != currency or amount.minor <= 0:
        raise NotPayable(f"Enter an amount of more than zero in {currency}.")
    if largest_payable(amount) != amount:
        raise NotPayable(f"The nearest amount below that can be paid out is {largest_payable(amount)}.")
