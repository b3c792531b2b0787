"""Find our records behind Stripe's objects, with the journals they lead to: payments and refunds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import Exists, OuterRef, Q, QuerySet

from payments.models import Payment, Refund
from payments.reconciliation.book_items import Record
from payments.reconciliation.found_records import FoundRecord, FoundRecords, as_uuid, claims_of, ids_of
from payments.reconciliation.other_records import find_disputes, find_transfers
from payments.reconciliation.statement import Movement, Topic

_REFUND_STEPS = ("succeeded", "fee", "converted", "failed", "failed:fee", "failed:converted")


def find_records(movements_of: Mapping[str, Sequence[Movement]]) -> FoundRecords:
    """The records of each key; the key's movements say how else a record may be found."""
    found = FoundRecords()
    _find_payments(movements_of, found)
    _find_refunds(movements_of, found)
    find_disputes(movements_of, found)
    find_transfers(movements_of, found)
    return found


def _find_payments(movements_of: Mapping[str, Sequence[Movement]], found: FoundRecords) -> None:
    ids = ids_of(movements_of, Topic.CHARGE)
    claims = claims_of(movements_of, Topic.CHARGE, lambda each: as_uuid(each.claim.payment))
    by_id = Q(stripe_payment_intent_id__in=ids) | Q(stripe_charge_id__in=ids)
    for payment in payments_with_state().filter(by_id | Q(reference__in=list(claims))):
        # A payment that no event has reported does not have its intent yet.
        recorded = [each for each in (payment.stripe_payment_intent_id, payment.stripe_charge_id) if each]
        own_claims = claims.get(payment.reference, ())
        key = found.key_of_record(movements_of, topic=Topic.CHARGE, ids=recorded, claims=own_claims)
        if key:
            found.of_key[key].append(as_found_payment(payment, key))
    intents = {each.payment_intent for movements in movements_of.values() for each in movements} - {""}
    ours = Payment.objects.filter(stripe_payment_intent_id__in=intents)
    rows = ours.values_list("stripe_payment_intent_id", "order__number")
    found.order_of_intent.update({intent: number for intent, number in rows if intent})


def payments_with_state() -> QuerySet[Payment]:
    """Payments with their order, and whether they were refunded as a second payment of it."""
    second = Refund.objects.filter(payment=OuterRef("pk"), reason=Refund.Reason.SECOND_PAYMENT)
    return Payment.objects.select_related("order").annotate(is_second=Exists(second)).order_by("pk")


def as_found_payment(payment: Payment, key: str) -> FoundRecord:
    """A payment with `is_second`, as a record under a key."""
    steps = ("second", "fee", "converted")
    sources = [f"payment:{payment.reference}:{step}" for step in steps]
    if payment.has_succeeded:
        sources.insert(0, f"order:{payment.order.number}:settled")
    record = Record(
        topic=Topic.CHARGE,
        key=key,
        label=f"Payment of order {payment.order.number}",
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        is_done=payment.has_succeeded or getattr(payment, "is_second", False),
        happened_at=payment.succeeded_at or payment.ended_at or payment.created_at,
        livemode=payment.livemode,
        order_number=payment.order.number,
    )
    return FoundRecord(record, tuple(sources))


def _find_refunds(movements_of: Mapping[str, Sequence[Movement]], found: FoundRecords) -> None:
    ids = ids_of(movements_of, Topic.REFUND)
    claims = claims_of(movements_of, Topic.REFUND, lambda each: each.claim.refund)
    refunds = Refund.objects.select_related("payment__order").order_by("pk")
    for refund in refunds.filter(Q(stripe_refund_id__in=ids) | Q(idempotency_key__in=list(claims))):
        recorded = [refund.stripe_refund_id] if refund.stripe_refund_id else []
        own_claims = claims.get(refund.idempotency_key, ())
        key = found.key_of_record(movements_of, topic=Topic.REFUND, ids=recorded, claims=own_claims)
        if key:
            found.of_key[key].append(as_found_refund(refund, key))


def as_found_refund(refund: Refund, key: str) -> FoundRecord:
    """A refund as a record under a key. One that succeeded and failed later has both journals."""
    number = refund.payment.order.number
    record = Record(
        topic=Topic.REFUND,
        key=key,
        label=f"Refund of order {number}",
        amount_minor=refund.amount_minor,
        currency=refund.currency,
        is_done=refund.succeeded_at is not None,
        has_ended=refund.ended_at is not None,
        happened_at=refund.succeeded_at or refund.created_at,
        livemode=refund.payment.livemode,
        order_number=number,
    )
    return FoundRecord(record, tuple(f"refund:{refund.idempotency_key}:{step}" for step in _REFUND_STEPS))
