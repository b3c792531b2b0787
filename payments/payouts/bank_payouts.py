"""Record what becomes of money on teachers' Stripe accounts: Stripe pays it out to their banks, which may return it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from notifications.alerts import raise_alert
from payments.models import BankPayout, ConnectedAccount, PayoutTransfer
from payments.payouts.mails import queue_bank_refused
from payments.payouts.reversals import request_reversal
from payments.payouts.steps import lock_payouts_of
from payments.payouts.stripe_objects import StripeBankPayout

# A status that Stripe may add one day is shown as on its way: nothing moves because of it.
_KNOWN = frozenset(BankPayout.Status.values)


def record_bank_payout(account: ConnectedAccount, state: StripeBankPayout, *, as_of: datetime) -> BankPayout:
    """Record a bank payout's state, unless a later one was recorded. `as_of` is when Stripe was asked.

    If the bank returned it, the transfers that it was made of are taken back, so that the teacher is owed them again.
    """
    with transaction.atomic():
        ConnectedAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        known = BankPayout.objects.filter(stripe_payout_id=state.id).first()
        if known is not None and known.state_as_of > as_of:
            return known
        had_failed = known is not None and known.has_failed
        bank_payout, _ = BankPayout.objects.update_or_create(
            stripe_payout_id=state.id,
            defaults={
                "account": account,
                "amount_minor": state.amount.minor,
                "currency": state.amount.currency,
                "status": state.status if state.status in _KNOWN else BankPayout.Status.IN_TRANSIT,
                "is_automatic": state.is_automatic,
                "arrives_on": state.arrives_on,
                "failure_message": state.failure_message[:300],
                "state_as_of": as_of,
            },
        )
        covered = PayoutTransfer.objects.filter(account=account, destination_payment_id__in=state.payment_ids)
        lock_payouts_of(covered)
        covered.update(bank_payout=bank_payout)
        if bank_payout.has_failed:
            # Each time: a payout that is recreated after a restored backup may become known later.
            transfers = list(bank_payout.transfers.order_by("payout_id"))
            for transfer in transfers:
                request_reversal(transfer, bank_payout)
            if not had_failed:
                _report_failure(bank_payout, transfers)
    return bank_payout


def _report_failure(bank_payout: BankPayout, transfers: Sequence[PayoutTransfer]) -> None:
    queue_bank_refused(bank_payout)
    raise_alert(
        key=f"bank-payout-failed:{bank_payout.stripe_payout_id}",
        title=f"The bank of {bank_payout.account.teacher} returned {bank_payout.amount}",
        detail={
            "account": bank_payout.account.stripe_account_id,
            "payout": bank_payout.stripe_payout_id,
            "reason": bank_payout.failure_message,
            "taken back": "its transfers" if transfers else "nothing: Stripe does not say what it was made of",
        },
    )
