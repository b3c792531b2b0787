"""Find our records behind Stripe's disputes and transfers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Q

from payments.models import Dispute, Payout, PayoutTransfer
from payments.reconciliation.book_items import Record
from payments.reconciliation.found_records import FoundRecord, FoundRecords, as_uuid, claims_of, ids_of
from payments.reconciliation.statement import Movement, Topic, key_of


def find_disputes(movements_of: Mapping[str, Sequence[Movement]], found: FoundRecords) -> None:
    """The disputes of the keys."""
    disputes = Dispute.objects.select_related("payment__order").order_by("pk")
    for dispute in disputes.filter(stripe_dispute_id__in=ids_of(movements_of, Topic.DISPUTE)):
        key = key_of(Topic.DISPUTE, dispute.stripe_dispute_id)
        found.of_key[key].append(_as_found_dispute(dispute, key))


def _as_found_dispute(dispute: Dispute, key: str) -> FoundRecord:
    """A dispute as a record under a key. Its journals are found by the key itself."""
    number = dispute.payment.order.number
    record = Record(
        topic=Topic.DISPUTE,
        key=key,
        label=f"Dispute of order {number}",
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
        # An inquiry moves nothing, so a dispute alone does not say that money has moved.
        is_done=False,
        happened_at=dispute.opened_at,
        livemode=dispute.payment.livemode,
        order_number=number,
    )
    return FoundRecord(record, ())


def find_transfers(movements_of: Mapping[str, Sequence[Movement]], found: FoundRecords) -> None:
    """The payouts of the keys, by the transfer that is recorded, otherwise by the reference in its metadata."""
    ids = ids_of(movements_of, Topic.TRANSFER)
    claims = claims_of(movements_of, Topic.TRANSFER, lambda each: as_uuid(each.claim.payout))
    by_transfer = Q(transfer__stripe_transfer_id__in=ids)
    payouts = Payout.objects.filter(by_transfer | Q(reference__in=list(claims))).select_related("transfer")
    for payout in payouts.order_by("pk").prefetch_related("transfer__reversals"):
        transfer: PayoutTransfer | None = getattr(payout, "transfer", None)
        recorded = [transfer.stripe_transfer_id] if transfer and transfer.stripe_transfer_id else []
        own_claims = claims.get(payout.reference, ())
        key = found.key_of_record(movements_of, topic=Topic.TRANSFER, ids=recorded, claims=own_claims)
        if key:
            found.of_key[key].append(_as_found_payout(payout, key, movements_of[key]))


def _as_found_payout(payout: Payout, key: str, movements: Iterable[Movement]) -> FoundRecord:
    """A payout as a record under a key. Each reversal has a journal of its own, on either side's account."""
    transfer = getattr(payout, "transfer", None)
    reversals = [reversal.stripe_reversal_id for reversal in transfer.reversals.all()] if transfer else []
    returned = {*filter(None, reversals), *(each.source for each in movements if each.amount_minor >= 0)}
    record = Record(
        topic=Topic.TRANSFER,
        key=key,
        label=f"Payout of {payout.amount} to {payout.teacher}",
        amount_minor=payout.amount_minor,
        currency=payout.currency,
        is_done=payout.has_left,
        happened_at=payout.paid_at or payout.requested_at,
    )
    sources = [f"{payout.subject}:paid", *(f"{payout.subject}:returned:{each}" for each in sorted(returned))]
    return FoundRecord(record, tuple(sources))
