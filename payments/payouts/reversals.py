"""Take back transfers whose money did not reach the teacher's bank, so that it is owed again.

Durable work like the sending. A reversal that Stripe refuses has failed for good: the money stays on the teacher's
Stripe account, the payout stays paid, and staff are told. It is never tried in a loop.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Sum

from jobs.models import WorkParked
from notifications.alerts import raise_alert
from payments.models import BankPayout, PayoutReversal, PayoutTransfer
from payments.payouts import gateway
from payments.payouts.recording import record_transfer
from payments.payouts.steps import lock_payout
from payments.stripe_api import BUSY, StripeMisconfigured, StripeRefused


def request_reversal(transfer: PayoutTransfer, bank_payout: BankPayout) -> PayoutReversal | None:
    """Request what is left of a transfer back, because the teacher's bank returned the payout that it was part of.

    Once for each bank payout; None if nothing is left or it was requested before.
    """
    with transaction.atomic():
        payout = lock_payout(transfer.payout_id)
        requested = PayoutReversal.objects.filter(transfer=transfer, status=PayoutReversal.Status.REQUESTED)
        under_way = requested.aggregate(total=Sum("amount_minor"))["total"] or 0
        left = payout.amount_minor - payout.returned_minor - under_way
        if left <= 0 or transfer.reversals.filter(bank_payout=bank_payout).exists():
            return None
        return PayoutReversal.objects.create(
            transfer=transfer,
            amount_minor=left,
            reason=PayoutReversal.Reason.BANK_RETURNED,
            bank_payout=bank_payout,
        )


def send_reversal(reversal: PayoutReversal) -> None:
    """Make sure that a requested reversal exists at Stripe once, and record it. Call outside transactions.

    Raises StripeUnreachable while the outcome is unknown.
    """
    reversal.refresh_from_db(fields=["status"])
    if reversal.status != PayoutReversal.Status.REQUESTED:
        return
    transfer_id = reversal.transfer.stripe_transfer_id or ""
    if not _exists(reversal, transfer_id) and not _create(reversal, transfer_id):
        return
    record_transfer(gateway.retrieve_transfer(transfer_id))


def _exists(reversal: PayoutReversal, transfer_id: str) -> bool:
    try:
        current = gateway.retrieve_transfer(transfer_id)
    except StripeRefused as refusal:
        raise WorkParked(f"Stripe refused to return the transfer: {refusal}") from refusal
    return any(one.reversal_key == reversal.idempotency_key for one in current.reversals)


def _create(reversal: PayoutReversal, transfer_id: str) -> bool:
    """Create the reversal at Stripe; False if Stripe refused it for good, which is recorded."""
    try:
        gateway.create_reversal(
            transfer_id=transfer_id,
            amount=reversal.amount,
            payout_reference=str(reversal.transfer.payout.reference),
            idempotency_key=reversal.idempotency_key,
        )
    except StripeMisconfigured as problem:
        raise WorkParked(f"Stripe refused because of our set-up: {problem}") from problem
    except StripeRefused as refusal:
        if refusal.code in BUSY:
            raise
        # Made by a worker whose claim expired, which would explain the refusal.
        if _exists(reversal, transfer_id):
            return True
        _record_refusal(reversal, str(refusal))
        return False
    return True


def _record_refusal(reversal: PayoutReversal, reason: str) -> None:
    with transaction.atomic():
        payout = lock_payout(reversal.transfer.payout_id)
        refused = PayoutReversal.objects.filter(pk=reversal.pk, status=PayoutReversal.Status.REQUESTED)
        if not refused.update(status=PayoutReversal.Status.FAILED, failure_reason=reason[:300]):
            return
        raise_alert(
            key=f"payout-reversal-failed:{reversal.pk}",
            title=f"{reversal.amount} of a payout to {payout.teacher} could not be taken back; it stays on their account",
            detail={
                "payout": str(payout.reference),
                "transfer": reversal.transfer.stripe_transfer_id,
                "reason": reason,
            },
        )
