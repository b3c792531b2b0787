"""Send an approved payout to Stripe, once. Durable work: it may run again after any crash, and may run late.

While it is not known whether the transfer exists, the money stays claimed and the key stays the same. Only once Stripe
has certainly refused does the money go back, or another key follow.
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from jobs.models import WorkParked, WorkPostponed
from notifications.alerts import clear_alert, raise_alert
from payments.models import ConnectedAccount, Payout, PayoutTransfer
from payments.models.payout_transfer import new_transfer_key
from payments.payouts import gateway
from payments.payouts.accounts import refresh_account
from payments.payouts.mails import queue_failed
from payments.payouts.recording import TransferDisagrees, record_transfer
from payments.payouts.requests import current_account
from payments.payouts.rules import Happening
from payments.payouts.steps import lock_payout, move_on
from payments.payouts.stripe_objects import StripeTransfer
from payments.stripe_api import (
    BALANCE_TOO_LOW,
    BUSY,
    NoSuchObject,
    StripeMisconfigured,
    StripeRefused,
    StripeUnreachable,
)

log = structlog.get_logger()

_FIRST_WAIT_FOR_BALANCE = timedelta(minutes=10)
_LONGEST_WAIT_FOR_BALANCE = timedelta(hours=6)
# How far back the transfers to an account are compared with ours before another one is made.
_BACKUPS_ARE_YOUNGER_THAN = timedelta(days=30)
_NOT_READY = "Stripe does not pay out to your account at the moment. Open your payouts page to see what it needs."
_NO_ACCOUNT = "There is no Stripe account to pay to. Set up one on your payouts page."


def send_transfer(work: PayoutTransfer) -> None:
    """Make sure that an approved payout is one transfer at Stripe, and record it. Call outside transactions.

    Raises StripeUnreachable while the outcome is unknown, and WorkPostponed while the platform's balance is too low.
    """
    payout = Payout.objects.get(pk=work.payout_id)
    if not payout.may(Happening.SEND):
        return
    found = _find(payout)
    if found is None and payout.status == Payout.Status.APPROVED and not _is_ready_to_send(work, payout):
        return
    answer = found or _create(work, payout)
    if answer is None:
        return
    try:
        record_transfer(answer)
    except TransferDisagrees as problem:
        raise WorkParked(str(problem)) from problem
    clear_alert(key=_balance_alert(payout))


def _find(payout: Payout) -> StripeTransfer | None:
    try:
        return gateway.find_transfer(payout_reference=str(payout.reference))
    except StripeRefused as refusal:
        raise WorkParked(f"Stripe refused to list the transfers: {refusal}") from refusal


def _is_ready_to_send(work: PayoutTransfer, payout: Payout) -> bool:
    """Whether account and balance allow the transfer now. A payout without a ready account fails, with a clear word."""
    account = current_account(payout.teacher_id)
    if account is None:
        _record_refusal(payout, _NO_ACCOUNT)
        return False
    account = _refreshed(account)
    if not account.can_be_paid:
        _record_refusal(payout, _NOT_READY)
        return False
    _record_unknown_transfers(account)
    payout.refresh_from_db(fields=["status"])
    if not payout.may(Happening.SEND):
        return False
    available = gateway.retrieve_available_balance().get(payout.currency)
    if available is None or available < payout.amount:
        raise _wait_for_balance(work, payout)
    return True


def _refreshed(account: ConnectedAccount) -> ConnectedAccount:
    try:
        return refresh_account(account)
    except StripeMisconfigured as problem:
        raise WorkParked(f"Stripe refused because of our set-up: {problem}") from problem


def _record_unknown_transfers(account: ConnectedAccount) -> None:
    """Record the transfers that only Stripe knows, since a backup was restored: they have paid the same money before."""
    ids = gateway.list_transfer_ids(
        destination_id=account.stripe_account_id, created_from=timezone.now() - _BACKUPS_ARE_YOUNGER_THAN
    )
    known = PayoutTransfer.objects.filter(stripe_transfer_id__in=ids).values_list("stripe_transfer_id", flat=True)
    for transfer_id in sorted(set(ids) - set(known)):
        try:
            record_transfer(gateway.retrieve_transfer(transfer_id))
        except TransferDisagrees as problem:
            # Its event is quarantined with an alert; this payout is another one.
            log.warning("unknown_transfer_disagrees", transfer=transfer_id, problem=str(problem))


def _create(work: PayoutTransfer, payout: Payout) -> StripeTransfer | None:
    """Create the transfer at Stripe; None if Stripe refused it for good, or it must not be sent any more."""
    if not _begin_to_send(work):
        return None
    try:
        return gateway.create_transfer(
            amount=payout.amount,
            destination_id=work.account.stripe_account_id if work.account else "",
            payout_reference=str(payout.reference),
            idempotency_key=work.idempotency_key,
        )
    except StripeUnreachable:
        _record_lost_answer(payout)
        raise
    except StripeMisconfigured as problem:
        # Our API key or mode is wrong, which says nothing about the transfer.
        raise WorkParked(f"Stripe refused because of our set-up: {problem}") from problem
    except StripeRefused as refusal:
        return _after_refusal(work, payout, refusal)


def _begin_to_send(work: PayoutTransfer) -> bool:
    """Record that the request is about to leave, and fix its account; False if staff declined in the meantime."""
    with transaction.atomic():
        payout = lock_payout(work.payout_id)
        # Another worker may have ended the key, if this one was held up beyond its lease.
        work.refresh_from_db(fields=["idempotency_key", "account"])
        work.account = work.account or current_account(payout.teacher_id)
        if work.account is None or not payout.may(Happening.SEND):
            return False
        work.save(update_fields=["account"])
        move_on(payout, Happening.SEND)
        return True


def _record_lost_answer(payout: Payout) -> None:
    with transaction.atomic():
        current = lock_payout(payout.pk)
        if current.may(Happening.LOSE_ANSWER):
            move_on(current, Happening.LOSE_ANSWER, note="Stripe's answer was lost. The transfer is looked up.")


def _after_refusal(work: PayoutTransfer, payout: Payout, refusal: StripeRefused) -> StripeTransfer | None:
    if refusal.code in BUSY:
        _record_lost_answer(payout)
        raise refusal
    # A worker whose claim expired may have created it in the meantime, which would explain the refusal.
    found = _find(payout)
    if found is not None:
        return found
    if refusal.code in BALANCE_TOO_LOW:
        _end_key(work)
        raise _wait_for_balance(work, payout) from refusal
    if isinstance(refusal, NoSuchObject):
        _check_account_is_closed(work, payout, refusal)
        _record_refusal(payout, _NO_ACCOUNT)
        return None
    _record_refusal(payout, f"Stripe refused it: {refusal}")
    return None


def _check_account_is_closed(work: PayoutTransfer, payout: Payout, refusal: NoSuchObject) -> None:
    """A key of another account gets the same answer. Raises WorkParked unless Stripe certainly has closed the account.

    While an answer is missing, not even that says that there is no transfer: staff must look at Stripe.
    """
    payout.refresh_from_db(fields=["status"])
    if payout.status == Payout.Status.UNKNOWN:
        raise WorkParked(
            f"Look at Stripe whether the transfer was made. Then Stripe refused it: {refusal}"
        ) from refusal
    if work.account is None or _refreshed(work.account).closed_at is None:
        raise WorkParked(f"Stripe does not find something that the transfer needs: {refusal}") from refusal


def _end_key(work: PayoutTransfer) -> None:
    """Stripe repeats a refusal for the same key, even once the balance is high enough. So another one follows."""
    with transaction.atomic():
        payout = lock_payout(work.payout_id)
        same_key = PayoutTransfer.objects.filter(pk=work.pk, idempotency_key=work.idempotency_key)
        if not payout.may(Happening.POSTPONE) or not same_key.update(idempotency_key=new_transfer_key(), account=None):
            return
        move_on(payout, Happening.POSTPONE, note="The platform's balance at Stripe was too low. It is tried again.")


def _record_refusal(payout: Payout, reason: str) -> None:
    """The payout failed for good: its money is available again, once."""
    with transaction.atomic():
        current = lock_payout(payout.pk)
        if not current.may(Happening.REFUSE):
            return
        move_on(current, Happening.REFUSE, note=reason, fields={"failure_reason": reason[:300]})
        queue_failed(current)
    raise_alert(
        key=f"payout-failed:{payout.reference}",
        title=f"A payout of {payout.amount} to {current.teacher} failed; the money is back in their balance",
        detail={"payout": str(payout.reference), "reason": reason},
    )


def _wait_for_balance(work: PayoutTransfer, payout: Payout) -> WorkPostponed:
    raise_alert(
        key=_balance_alert(payout),
        title=f"The platform's {payout.currency} balance at Stripe is too low for an approved payout",
        detail={"payout": str(payout.reference), "amount": str(payout.amount)},
    )
    delay = min(_FIRST_WAIT_FOR_BALANCE * 2 ** min(work.postponements, 10), _LONGEST_WAIT_FOR_BALANCE)
    return WorkPostponed(f"balance too low for {payout.amount}", delay=delay)


def _balance_alert(payout: Payout) -> str:
    return f"payout-balance-low:{payout.currency}"
