"""Record what Stripe reports of transfers. The only way for a worker, an event or a repair to do so."""

from __future__ import annotations

import uuid

import structlog
from django.db import transaction
from django.utils import timezone

from notifications.alerts import raise_alert
from payments.models import ConnectedAccount, Payout, PayoutReversal, PayoutTransfer
from payments.payouts.mails import queue_paid, queue_returned
from payments.payouts.recreating import recreate_payout
from payments.payouts.rules import Happening
from payments.payouts.steps import count_return, lock_payout, move_on
from payments.payouts.stripe_objects import StripeReversal, StripeTransfer

log = structlog.get_logger()


class TransferDisagrees(Exception):
    """Stripe's transfer contradicts the payout that it names. Staff must look at it."""


def record_transfer(stripe_transfer: StripeTransfer) -> Payout | None:
    """Record a transfer and its reversals; None if it belongs to no payout of ours. A repeat changes nothing.

    A payout that a restored backup does not have is recreated. Raises TransferDisagrees.
    """
    with transaction.atomic():
        payout = _payout_of(stripe_transfer)
        if payout is None:
            return None
        transfer = _transfer_of(payout, stripe_transfer)
        was_given_back = payout.was_given_back
        has_changed = move_on(
            payout, Happening.CONFIRM, note=f"Transfer {stripe_transfer.id}.", cost=stripe_transfer.cost
        )
        if has_changed:
            queue_paid(payout)
        if was_given_back:
            _alert_paid_after_all(payout, stripe_transfer)
        for reversal in stripe_transfer.reversals:
            _record_reversal(payout, transfer, reversal)
    log.info("transfer_recorded", payout=str(payout.reference), status=payout.status, has_changed=has_changed)
    return payout


def _payout_of(stripe_transfer: StripeTransfer) -> Payout | None:
    """The payout that a transfer belongs to, locked: by the id stored with it, otherwise by its metadata."""
    known = PayoutTransfer.objects.filter(stripe_transfer_id=stripe_transfer.id).first()
    if known is not None:
        return lock_payout(known.payout_id)
    try:
        reference = uuid.UUID(stripe_transfer.payout_reference)
    except ValueError:
        return None
    named = Payout.objects.filter(reference=reference).first()
    if named is not None:
        return lock_payout(named.pk)
    account = _account_of(stripe_transfer)
    # Our references are random UUIDs.
    if account is None or reference.version != 4:  # noqa: PLR2004  # its name in RFC 9562
        raise TransferDisagrees(f"{stripe_transfer.id} names payout {reference}, which does not exist.")
    return lock_payout(recreate_payout(stripe_transfer, account, reference=reference).pk)


def _account_of(stripe_transfer: StripeTransfer) -> ConnectedAccount | None:
    """The teacher's account that a transfer went to; None if it is no account of ours."""
    accounts = ConnectedAccount.objects.select_related("teacher__user")
    return accounts.filter(stripe_account_id=stripe_transfer.destination_id).first()


def _transfer_of(payout: Payout, stripe_transfer: StripeTransfer) -> PayoutTransfer:
    """Our record of the transfer, with its ids. Raises TransferDisagrees if it is not the payout's one transfer."""
    account = _account_of(stripe_transfer)
    if not payout.is_by_transfer or stripe_transfer.amount != payout.amount:
        raise TransferDisagrees(
            f"{stripe_transfer.id} of {stripe_transfer.amount} does not match payout {payout.reference}."
        )
    if account is None or account.teacher_id != payout.teacher_id:
        raise TransferDisagrees(
            f"{stripe_transfer.id} went to {stripe_transfer.destination_id}, not to {payout.teacher}."
        )
    # There is none only in a restored database, if it was approved after the backup. There is nothing to send.
    done = {"state": PayoutTransfer.State.DONE, "finished_at": timezone.now()}
    transfer, _ = PayoutTransfer.objects.get_or_create(payout=payout, defaults=done)
    if transfer.stripe_transfer_id not in (None, stripe_transfer.id):
        raise TransferDisagrees(
            f"{stripe_transfer.id} is a second transfer of payout {payout.reference}, after {transfer.stripe_transfer_id}."
        )
    transfer.account = account
    transfer.stripe_transfer_id = stripe_transfer.id
    transfer.destination_payment_id = stripe_transfer.destination_payment_id
    transfer.save(update_fields=["account", "stripe_transfer_id", "destination_payment_id"])
    return transfer


def _record_reversal(payout: Payout, transfer: PayoutTransfer, stripe_reversal: StripeReversal) -> None:
    if PayoutReversal.objects.filter(stripe_reversal_id=stripe_reversal.id).exists():
        return
    reversal = PayoutReversal.objects.filter(
        transfer=transfer, idempotency_key=stripe_reversal.reversal_key, stripe_reversal_id=None
    ).first()
    if reversal is None:
        done = {"state": PayoutReversal.State.DONE, "finished_at": timezone.now()}
        reversal = PayoutReversal(transfer=transfer, reason=PayoutReversal.Reason.MADE_AT_STRIPE, **done)
    reversal.amount_minor = stripe_reversal.amount.minor
    reversal.status = PayoutReversal.Status.SUCCEEDED
    reversal.stripe_reversal_id = stripe_reversal.id
    reversal.save()
    count_return(
        payout,
        stripe_reversal.amount,
        arrived=stripe_reversal.arrived,
        source_key=stripe_reversal.id,
        by_id=reversal.requested_by_id,
        note=f"Reversal {stripe_reversal.id}: {reversal.get_reason_display()}.",
    )
    queue_returned(payout, stripe_reversal.amount, key=stripe_reversal.id)


def _alert_paid_after_all(payout: Payout, stripe_transfer: StripeTransfer) -> None:
    raise_alert(
        key=f"payout-paid-after-all:{payout.reference}",
        title=f"A payout of {payout.amount} to {payout.teacher} was given back, but Stripe has paid it",
        detail={"payout": str(payout.reference), "transfer": stripe_transfer.id},
    )
