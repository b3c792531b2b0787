"""Cancel what was bought: what comes back, then the revocation and the refund, in one transaction.

The domain's handler says what the policy frozen at purchase promises and which places a line has; this module knows no
domain. The order's lock keeps cancellations, refunds and disputes of one order apart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from money import Money
from money.limits import limits_of
from money.shares import amount_of_units
from notifications.outbox import mails_gathered
from payments.contracts import CancellationTerms, Place, RefundStep
from payments.deadlocks import retried_after_deadlock
from payments.disputes.waiting_refunds import held_of_line, refund_after_dispute
from payments.mails import queue_cancelled_by_student, queue_cancelled_by_teacher
from payments.models import Order, OrderLine, Refund
from payments.reasons import BY_STUDENT
from payments.refunds.plan import LinePart, OfLines, RefundRefused
from payments.refunds.requests import request_refund
from payments.registry import UnknownDomain, handler_for
from payments.revocation import revoke_units

log = structlog.get_logger()

_BY_TEACHER = "Cancelled by the teacher"


class CannotCancel(Exception):
    """The line, or a place of it, cannot be cancelled. The message is for the person who wants to cancel it."""


class NothingToCancel(CannotCancel):
    """Nothing of the line is left to cancel."""


class OfferChanged(Exception):
    """What comes back is no longer what the student agreed to; `offer` is what it is now."""

    def __init__(self, offer: Offer) -> None:
        super().__init__("What you get back has changed.")
        self.offer = offer


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What comes back for cancelling these places of a line now."""

    line: OrderLine
    places: Sequence[Place]
    terms: CancellationTerms
    # The step of the policy that applies; None if nothing is refunded.
    step: RefundStep | None
    # The number of places cancelled before, and what is left of the line, when the offer was made.
    before: int
    left: Money

    @property
    def amount(self) -> Money:
        """What comes back."""
        return self.amount_in(self.step)

    @property
    def price(self) -> Money:
        """What was paid for these places."""
        return self._part_of(self.line.amount)

    @property
    def kept(self) -> Money:
        """What was paid for these places and does not come back."""
        return max(min(self.price, self.left) - self.amount, Money.zero(self.amount.currency))

    @property
    def digest(self) -> str:
        """A digest of the offer. The student confirms it, so that nothing but what was shown is carried out."""
        until = self.step.until if self.step else None
        shown = [
            self.line.pk,
            sorted(place.key for place in self.places),
            [self.amount.minor, self.amount.currency],
            until.isoformat() if until else "",
            # Places without names may keep their keys when one of them is cancelled.
            self.before,
        ]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()

    def amount_in(self, step: RefundStep | None) -> Money:
        """What comes back while this step applies: never more than is left of the line."""
        if step is None:
            return Money.zero(self.line.amount.currency)
        return min(self._part_of(step.amount), limits_of(self.left.currency).round_down(self.left))

    def _part_of(self, whole: Money) -> Money:
        return amount_of_units(whole, of=self.line.quantity, before=self.before, count=len(self.places))


@dataclass(frozen=True, kw_only=True)
class Cancellation:
    """What was cancelled; `refund` is None if nothing comes back now. `waiting` comes back once a dispute is decided."""

    offer: Offer
    refund: Refund | None
    waiting: Money


def terms_for_student(line: OrderLine, *, at: datetime) -> CancellationTerms:
    """The terms of a line that its student can cancel at this moment. Raises CannotCancel."""
    if line.disputed_minor and held_of_line(line).minor:
        raise CannotCancel("You dispute this payment with your bank, which decides about it now.")
    if line.is_gift and line.gift.redeemed_at:
        raise CannotCancel("This gift has been redeemed, so it cannot be cancelled here. Please write to us.")
    terms = _terms_of(line)
    if terms.closes_at is not None and terms.closes_at <= at:
        raise CannotCancel("It is too late to cancel this.")
    return terms


def can_cancel(line: OrderLine) -> bool:
    """Whether its student can cancel it, or a part of it, now. Pages offer to cancel only then."""
    try:
        terms_for_student(line, at=timezone.now())
    except CannotCancel:
        return False
    return True


def can_cancel_line(line_id: int | None) -> bool:
    """`can_cancel` for domains, which keep the id of the line that delivered something."""
    line = OrderLine.objects.select_related("order").filter(pk=line_id or 0).first()
    return line is not None and can_cancel(line)


def offer_cancellation(*, line: OrderLine, keys: Collection[str], at: datetime) -> Offer:
    """What the student gets back for cancelling the places with these keys at this moment. Raises CannotCancel."""
    terms = terms_for_student(line, at=at)
    places = [place for place in terms.places if place.key in keys]
    if not places or len(places) < len(set(keys)):
        raise CannotCancel("One of these places is cancelled already. Please choose again.")
    return _offer(line, places, terms, terms.step_at(at))


@retried_after_deadlock
def cancel_for_student(*, line_id: int, keys: Collection[str], digest: str) -> Cancellation:
    """Cancel places of a line as the student confirmed it: their places are free at once, and the refund is on its way.

    Raises CannotCancel, or OfferChanged if the digest belongs to another offer. The caller checks whose line it is.
    """
    with transaction.atomic(), mails_gathered():
        line = _lock_line(line_id)
        offer = offer_cancellation(line=line, keys=keys, at=timezone.now())
        if offer.digest != digest:
            raise OfferChanged(offer)
        _revoke(offer, reason=BY_STUDENT)
        refund = _refund(
            offer,
            reason=Refund.Reason.STUDENT_CANCELLED,
            request_key=f"student-cancelled:{line.pk}:{offer.before}",
            requested_by_id=line.order.user_id,
        )
        labels = [place.label for place in offer.places]
        queue_cancelled_by_student(line, places=labels, amount=offer.amount, kept=offer.kept)
    log.info("line_cancelled_by_student", order=line.order.number, line=line.pk, amount=str(offer.amount))
    return Cancellation(offer=offer, refund=refund, waiting=Money.zero(offer.amount.currency))


@retried_after_deadlock
def cancel_for_teacher(*, line_id: int, reason: str, requested_by_id: int | None) -> Cancellation | None:
    """Cancel all places that a line still has and refund all that was paid for them, whatever its policy says.

    What is disputed of it is refunded by itself once the dispute is won.
    None if nothing is left to cancel, so a repeat refunds nothing twice. `reason` is shown to the student.
    Raises CannotCancel. The caller checks that the person may do this.
    """
    with transaction.atomic(), mails_gathered():
        line = _lock_line(line_id)
        try:
            terms = _terms_of(line)
        except NothingToCancel:
            return None
        offer = _offer(line, terms.places, terms, RefundStep(amount=line.amount, until=None))
        _revoke(offer, reason=_by_teacher(reason))
        refund = _refund(
            offer,
            reason=Refund.Reason.TEACHER_CANCELLED,
            request_key=f"teacher-cancelled:{line.pk}",
            requested_by_id=requested_by_id,
        )
        waiting = _refund_after_dispute(offer, refund, requested_by_id=requested_by_id)
        queue_cancelled_by_teacher(line, reason=reason, amount=offer.amount, waiting=waiting)
    log.info("line_cancelled_by_teacher", order=line.order.number, line=line.pk, amount=str(offer.amount))
    return Cancellation(offer=offer, refund=refund, waiting=waiting)


def _by_teacher(reason: str) -> str:
    """The reason as the domain shows it, which says who cancelled; teachers may have written that themselves."""
    return reason if reason.casefold().startswith(_BY_TEACHER.casefold()) else f"{_BY_TEACHER}: {reason}"


def _terms_of(line: OrderLine) -> CancellationTerms:
    """The terms of a line that has places to cancel. Raises CannotCancel."""
    if line.state == OrderLine.State.REVOKED:
        raise NothingToCancel("This is cancelled already.")
    if line.state != OrderLine.State.FULFILLED or not line.order.is_paid:
        raise CannotCancel("This was not delivered, so there is nothing to cancel.")
    try:
        terms = handler_for(line.domain).cancellation_terms(line.as_sold())
    except UnknownDomain:
        raise CannotCancel("This is no longer offered here. Please write to us.") from None
    if not terms.places:
        raise NothingToCancel("There is nothing left to cancel.")
    if Refund.objects.to_allocate().filter(payment__order=line.order_id).exists():
        raise CannotCancel("Our staff are working on a refund of this order. Please try again later, or write to us.")
    return terms


def _offer(line: OrderLine, places: Sequence[Place], terms: CancellationTerms, step: RefundStep | None) -> Offer:
    return Offer(line=line, places=places, terms=terms, step=step, before=line.revoked_quantity, left=line.refundable)


def _lock_line(line_id: int) -> OrderLine:
    """Lock the order of a line, and return the line as it is now."""
    order = Order.objects.select_for_update(of=("self",)).select_related("user").get(lines=line_id)
    line = OrderLine.objects.select_related("teacher").get(pk=line_id)
    line.order = order
    return line


def _revoke(offer: Offer, *, reason: str) -> None:
    """Revoke exactly the places of the offer. Raises CannotCancel if its domain has changed them since."""
    line, wanted = offer.line, len(offer.places)
    revoke_units(
        line=line,
        quantity=wanted,
        reason=reason,
        places=[place.key for place in offer.places],
        is_returned=offer.amount.minor > 0,
    )
    left = handler_for(line.domain).cancellation_terms(line.as_sold()).places
    if len(left) != len(offer.terms.places) - wanted:
        raise CannotCancel("This has just changed. Please look at it again.")


def _refund_after_dispute(offer: Offer, refund: Refund | None, *, requested_by_id: int | None) -> Money:
    """Have the disputed part of the offer refunded if the dispute is won; returns that part."""
    waiting = min(offer.price - offer.amount, held_of_line(offer.line))
    if waiting.minor <= 0:
        return Money.zero(waiting.currency)
    refund_after_dispute(
        offer.line,
        waiting,
        # The refund of the other part has returned the places.
        quantity=0 if refund else len(offer.places),
        reason=Refund.Reason.TEACHER_CANCELLED,
        requested_by_id=requested_by_id,
    )
    return waiting


def _refund(offer: Offer, *, reason: Refund.Reason, request_key: str, requested_by_id: int | None) -> Refund | None:
    if not offer.amount.minor:
        return None
    line = offer.line
    # Staff may have refunded a place that the student kept: it does not count as refunded twice.
    quantity = min(len(offer.places), line.quantity - line.refunded_quantity)
    try:
        return request_refund(
            order_id=line.order_id,
            wanted=OfLines([LinePart(line_id=line.pk, amount=offer.amount, quantity=quantity)]),
            reason=reason,
            request_key=request_key,
            requested_by_id=requested_by_id,
        )
    except RefundRefused as refusal:
        log.warning("cancellation_refused", order=line.order.number, line=line.pk, refusal=str(refusal))
        raise CannotCancel("This cannot be refunded automatically, so nothing is cancelled. Please write to us.") from (
            refusal
        )
