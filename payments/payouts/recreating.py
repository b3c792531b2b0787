"""Recreate payouts that Stripe has paid and that this database does not have, because a backup was restored.

Their money has left, but looks available again. It must be claimed before it is paid a second time.
"""

from __future__ import annotations

import uuid

import structlog

from ledger.balances import balance_of
from ledger.entries import AccountKind
from ledger.locks import lock_teacher_accounts
from notifications.alerts import raise_alert
from payments.models import ConnectedAccount, Payout
from payments.payouts.mails import queue_declined
from payments.payouts.rules import Happening
from payments.payouts.steps import begin_paid, move_on
from payments.payouts.stripe_objects import StripeTransfer

log = structlog.get_logger()

_PAID_BEFORE = "This money had already been paid to you."


def recreate_payout(stripe_transfer: StripeTransfer, account: ConnectedAccount, *, reference: uuid.UUID) -> Payout:
    """The payout that a transfer of ours paid, written as paid and booked, once. Call within a transaction.

    If this leaves a debt, a payout of the teacher that was not sent yet is declined: it would pay the same money again.
    """
    payout, is_new = Payout.objects.get_or_create(
        reference=reference,
        defaults={
            "teacher_id": account.teacher_id,
            "amount_minor": stripe_transfer.amount.minor,
            "currency": stripe_transfer.amount.currency,
            "origin": Payout.Origin.STRIPE,
            "status": Payout.Status.PAID.value,
            "requested_at": stripe_transfer.created_at,
            "paid_at": stripe_transfer.created_at,
        },
    )
    if not is_new:
        # Another worker recreated it at the same moment.
        return payout
    lock_teacher_accounts([payout.teacher_id], payout.currency)
    begin_paid(payout, cost=stripe_transfer.cost, note=f"Transfer {stripe_transfer.id} was found at Stripe.")
    left = balance_of(AccountKind.TEACHER_AVAILABLE, payout.currency, teacher_id=payout.teacher_id)
    declined = _decline_second(payout) if left.minor < 0 else None
    raise_alert(
        key=f"payout-recreated:{payout.reference}",
        title=f"A payout of {payout.amount} to {account.teacher} was found at Stripe and was not recorded here",
        detail={
            "payout": str(payout.reference),
            "transfer": stripe_transfer.id,
            "balance without it": str(left + payout.amount),
            "declined because of it": str(declined.reference) if declined else "none",
        },
    )
    log.warning("payout_recreated", payout=str(payout.reference), transfer=stripe_transfer.id)
    return payout


def _decline_second(payout: Payout) -> Payout | None:
    # The accounts are locked already, and payouts come before them: waiting for a lock here could be a deadlock.
    others = Payout.objects.open().select_for_update(of=("self",), skip_locked=True).select_related("teacher__user")
    second = others.filter(teacher_id=payout.teacher_id, currency=payout.currency).first()
    if second is None or not second.may(Happening.DECLINE):
        return None
    move_on(second, Happening.DECLINE, note=_PAID_BEFORE, fields={"note": _PAID_BEFORE})
    queue_declined(second)
    return second
