"""From the source of a journal to the key under which it meets Stripe's statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from payments.models import Payment, PayoutTransfer, Refund, StripeMovement
from payments.reconciliation.book_items import Handle, read_source
from payments.reconciliation.found_records import as_uuid
from payments.reconciliation.groups import movement_of_source
from payments.reconciliation.statement import Topic, key_of


def keys_of_sources(sources: Iterable[str]) -> dict[str, str]:
    """The match key of each source. A source is missing if nothing of ours, or of Stripe's, belongs to it."""
    references: dict[Handle, set[str]] = defaultdict(set)
    sources = list(sources)
    for source in sources:
        parts = read_source(source)
        if parts.handle:
            references[parts.handle].add(movement_of_source(source) or parts.reference)
    keys = {handle: _FINDERS[handle](found) for handle, found in references.items() if handle in _FINDERS}
    found_keys: dict[str, str] = {}
    for source in sources:
        parts = read_source(source)
        reference = movement_of_source(source) or parts.reference
        key = keys.get(parts.handle, {}).get(reference) if parts.handle else None
        if key:
            found_keys[source] = key
    return found_keys


def _of_orders(numbers: set[str]) -> Mapping[str, str]:
    paid = Payment.objects.filter(status=Payment.Status.SUCCEEDED, order__number__in=numbers)
    rows = paid.exclude(stripe_payment_intent_id=None).values_list("order__number", "stripe_payment_intent_id")
    return {number: key_of(Topic.CHARGE, intent or "") for number, intent in rows}


def _of_payments(references: set[str]) -> Mapping[str, str]:
    valid = [reference for reference in references if as_uuid(reference)]
    paid = Payment.objects.filter(reference__in=valid).exclude(stripe_payment_intent_id=None)
    rows = paid.values_list("reference", "stripe_payment_intent_id")
    return {str(reference): key_of(Topic.CHARGE, intent or "") for reference, intent in rows}


def _of_refunds(keys: set[str]) -> Mapping[str, str]:
    rows = Refund.objects.filter(idempotency_key__in=keys).exclude(stripe_refund_id=None)
    return {
        key: key_of(Topic.REFUND, refund_id or "")
        for key, refund_id in rows.values_list("idempotency_key", "stripe_refund_id")
    }


def _of_disputes(ids: set[str]) -> Mapping[str, str]:
    return {stripe_id: key_of(Topic.DISPUTE, stripe_id) for stripe_id in ids}


def _of_payouts(references: set[str]) -> Mapping[str, str]:
    valid = [reference for reference in references if as_uuid(reference)]
    sent = PayoutTransfer.objects.filter(payout__reference__in=valid).exclude(stripe_transfer_id=None)
    rows = sent.values_list("payout__reference", "stripe_transfer_id")
    return {str(reference): key_of(Topic.TRANSFER, transfer_id or "") for reference, transfer_id in rows}


def _of_movements(ids: set[str]) -> Mapping[str, str]:
    return dict(StripeMovement.objects.filter(stripe_id__in=ids).values_list("stripe_id", "match_key"))


_FINDERS = {
    Handle.ORDER: _of_orders,
    Handle.PAYMENT: _of_payments,
    Handle.REFUND: _of_refunds,
    Handle.DISPUTE: _of_disputes,
    Handle.PAYOUT: _of_payouts,
    Handle.MOVEMENT: _of_movements,
}
