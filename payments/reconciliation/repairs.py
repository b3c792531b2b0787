"""Repair differences: repeat what an event or a look-up would have done, with what Stripe says now. Never guesses."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import structlog
from django.utils import timezone

from ledger.journals import JournalDiffers
from payments import gateway
from payments.charges import look_up_charge, request_charge_lookup
from payments.disputes.gateway import retrieve_dispute
from payments.disputes.recording import DisputeDisagrees, record_dispute
from payments.evidence import PaymentDisagrees
from payments.finding import PaymentNotSettledYet
from payments.models import ChargeLookup, Difference, Payment, ReconciliationRun
from payments.outcomes import sync_with_stripe
from payments.payouts.gateway import retrieve_transfer
from payments.payouts.recording import TransferDisagrees, record_transfer
from payments.rebuilding.earlier_sales import book_earlier_sale
from payments.reconciliation.book_loading import load_groups
from payments.reconciliation.comparing import terms_of
from payments.reconciliation.kinds import KINDS, DifferenceKind, Repair
from payments.reconciliation.matching import compare
from payments.reconciliation.movement_booking import CannotBeBooked, book_movement
from payments.reconciliation.progress import save_progress
from payments.refunds.recording import NoRoomForRefund, RefundDisagrees, record_refund
from payments.stripe_api import StripeRefused

log = structlog.get_logger()


class NotRepaired(Exception):
    """The repair was made, or is impossible, but the difference is still there."""


# What a repair may raise: the difference stays, with the reason beside it. Stripe being unreachable ends the run instead.
_REFUSALS = (
    CannotBeBooked,
    DisputeDisagrees,
    JournalDiffers,
    NoRoomForRefund,
    NotRepaired,
    PaymentDisagrees,
    PaymentNotSettledYet,
    RefundDisagrees,
    TransferDisagrees,
    StripeRefused,
)


def repair_all(run: ReconciliationRun, *, stops_at: float) -> bool:
    """Repair what the run's mode allows. False if the time was up before the end. Raises StripeUnreachable."""
    while difference := _next_of(run):
        repair_difference(difference)
        save_progress(run, cursor=str(difference.pk))
        if time.monotonic() >= stops_at:
            return False
    return True


def _next_of(run: ReconciliationRun) -> Difference | None:
    repairable = run.differences.exclude(repair=Repair.NONE).filter(repaired_at=None, pk__gt=int(run.cursor or 0))
    if run.repairs == ReconciliationRun.Repairs.ROUTINE:
        repairable = repairable.filter(kind__in=[kind for kind, terms in KINDS.items() if terms.is_routine])
    return repairable.order_by("pk").first() if run.repairs != ReconciliationRun.Repairs.NONE else None


def repair_difference(difference: Difference, *, by_id: int | None = None) -> bool:
    """Make the repair and compare again; whether the difference is gone. Outside transactions. Raises StripeUnreachable.

    A refusal is stored with the difference. A repeat changes nothing: all repairs are recorded once.
    """
    try:
        _REPAIRS[Repair(difference.repair)](difference)
        _check_gone(difference)
    except _REFUSALS as refusal:
        difference.repair_error = f"{type(refusal).__name__}: {refusal}"
        difference.save(update_fields=["repair_error"])
        log.warning("difference_not_repaired", error=difference.repair_error, **difference.as_log())
        return False
    difference.repaired_at, difference.repaired_by_id, difference.repair_error = timezone.now(), by_id, ""
    difference.save(update_fields=["repaired_at", "repaired_by", "repair_error"])
    log.info("difference_repaired", **difference.as_log())
    return True


def _check_gone(difference: Difference) -> None:
    """Compare the group again, whatever the period. Raises NotRepaired."""
    run = difference.run
    terms = terms_of(run)
    whole = type(terms)(livemode=terms.livemode, settled_before=terms.settled_before)
    groups = load_groups([difference.match_key], account=run.account, livemode=run.livemode)
    # The repair's own journals are younger than the run, which must not look like an event under way.
    left = [finding for group in groups for finding in compare(group, whole)]
    same = [each for each in left if each.currency == difference.currency and _is_like(difference, each.kind)]
    if any(each.movement_id == difference.stripe_id for each in same):
        raise NotRepaired(same[0].sentence)


def _is_like(difference: Difference, kind: DifferenceKind) -> bool:
    return kind in {difference.kind, DifferenceKind.CUT_OFF, DifferenceKind.REMAINDER}


def _refuse(difference: Difference) -> None:
    raise NotRepaired(f"There is no safe repair of this kind: {difference.terms.title}. Staff must decide.")


def _look_at_payment(difference: Difference) -> None:
    payment = _payment_of(difference)
    if not payment.has_succeeded:
        sync_with_stripe(payment)
        payment.refresh_from_db()
    book_earlier_sale(payment.order_id)
    _look_up_charge_of(payment)


def _look_up_charge(difference: Difference) -> None:
    _look_up_charge_of(_payment_of(difference))


def _look_up_charge_of(payment: Payment) -> None:
    request_charge_lookup(payment)
    lookup = ChargeLookup.objects.select_related("payment").filter(payment=payment).first()
    if lookup is None:
        raise NotRepaired("The payment has no payment intent.")
    look_up_charge(lookup)


def _payment_of(difference: Difference) -> Payment:
    payments = Payment.objects.select_related("order")
    by_intent = payments.filter(stripe_payment_intent_id=difference.object_id).first()
    unreported = payments.filter(order=difference.order, stripe_payment_intent_id=None).order_by("-pk")
    payment = by_intent or (unreported.first() if difference.order else None)
    if payment is None:
        raise NotRepaired("No payment belongs to it.")
    return payment


def _fetch_refund(difference: Difference) -> None:
    if record_refund(gateway.retrieve_refund(difference.object_id)) is None:
        raise NotRepaired("It refunds a payment that is not one of this site.")


def _fetch_dispute(difference: Difference) -> None:
    if record_dispute(retrieve_dispute(difference.object_id)) is None:
        raise NotRepaired("It disputes a payment that is not one of this site.")


def _fetch_transfer(difference: Difference) -> None:
    if record_transfer(retrieve_transfer(difference.object_id)) is None:
        raise NotRepaired("No payout of this site belongs to it.")


_REPAIRS: Mapping[Repair, Callable[[Difference], None]] = {
    Repair.NONE: _refuse,
    Repair.LOOK_AT_PAYMENT: _look_at_payment,
    Repair.LOOK_UP_CHARGE: _look_up_charge,
    Repair.FETCH_REFUND: _fetch_refund,
    Repair.FETCH_DISPUTE: _fetch_dispute,
    Repair.FETCH_TRANSFER: _fetch_transfer,
    Repair.BOOK_MOVEMENT: book_movement,
}
