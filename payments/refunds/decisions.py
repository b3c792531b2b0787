"""What staff do about refunds: exactly what they saw before, once, with a record of who and why."""

from __future__ import annotations

from django.db import transaction

from notifications.alerts import clear_alert
from payments.earnings.books import book_allocations
from payments.models import Order, OrderLine, Payment, Refund, RefundAllocation, RefundChange
from payments.models.order import lines_in_lock_order
from payments.refunds.allocations import write_allocations
from payments.refunds.effects import apply_allocations
from payments.refunds.plan import InvalidRefundPart, RefundRefused, Wanted, plan_refund, total_of
from payments.refunds.preview import Preview, basis_digest_of, preview_of_parts, preview_of_request
from payments.refunds.requests import request_refund, write_refund_of_second_payment
from payments.registry import revoked_words
from payments.revocation import revoke_units


class AlreadyRequested(RefundRefused):
    """The form was sent before; `refund` is what came of it."""

    def __init__(self, refund: Refund) -> None:
        super().__init__(f"This form was sent before: {refund.amount} was refunded with it, and nothing more now.")
        self.refund = refund


class NothingToTakeBack(RefundRefused):
    """The line has lost all its units, was never delivered, or has changed since staff opened the page."""


class NothingToRepeat(RefundRefused):
    """The refund has not failed, or nothing is left of its payment."""


class NothingToAllocate(RefundRefused):
    """Other staff have allocated the refund, or it has failed."""


def request_previewed_refund(  # noqa: PLR0913  # each is one field of the form
    *,
    order_id: int,
    wanted: Wanted,
    seen: str,
    reason: Refund.Reason,
    note: str,
    request_key: str,
    by_id: int,
    again: Refund | None = None,
) -> Refund:
    """Request the refund that staff saw in the preview with the digest `seen`.

    `again` is the failed refund that this one repeats; its alert is cleared. Raises AlreadyRequested, PreviewOutdated,
    or as `request_refund` does.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=order_id)
        refuse_repeat(order, request_key)
        preview_of_request(order, wanted).refuse_unless_seen(seen)
        refund = request_refund(
            order_id=order.pk,
            wanted=wanted,
            reason=reason,
            note=note,
            request_key=request_key,
            requested_by_id=by_id,
        )
        if again is not None:
            clear_alert(key=f"refund-failed:{again.pk}")
    return refund


def refuse_repeat(order: Order, request_key: str) -> None:
    """Raise AlreadyRequested if a form with this key was sent before."""
    first = Refund.objects.filter(request_key=request_key, payment__order=order).first()
    if first is not None:
        raise AlreadyRequested(first)


def preview_of_allocation(refund: Refund, wanted: Wanted) -> Preview:
    """Preview the allocation of a refund made at Stripe. All of it must be allocated at once.

    Raises NothingToAllocate, InvalidRefundPart, or as `plan_refund` does.
    """
    if not refund.is_live:
        raise NothingToAllocate("This refund has failed, so there is nothing to allocate.")
    if not refund.to_allocate.minor:
        raise NothingToAllocate("This refund is allocated already.")
    lines = lines_in_lock_order(refund.payment.order)
    parts = plan_refund(lines, wanted)
    if (total := total_of(parts)) != refund.to_allocate:
        raise InvalidRefundPart(f"The refund is {refund.to_allocate}, but the lines add up to {total}.")
    payment = refund.payment
    # The payment has counted the refund since Stripe reported it.
    return preview_of_parts(
        parts, payment, remaining=payment.refundable, basis_digest=basis_digest_of(payment.order, refund)
    )


def allocate_refund(*, refund_id: int, wanted: Wanted, seen: str, note: str, by_id: int) -> Refund:
    """Allocate a refund made at Stripe to the lines that staff saw in the preview with the digest `seen`.

    If it has succeeded, the places go back now, otherwise when it does. Raises NothingToAllocate, PreviewOutdated, or as
    `preview_of_allocation` does.
    """
    with transaction.atomic():
        found = Refund.objects.select_related("payment").get(pk=refund_id)
        order = Order.objects.select_for_update().get(pk=found.payment.order_id)
        # Read under the lock: other staff may have allocated it while this process waited.
        refund = Refund.objects.select_related("payment").get(pk=refund_id)
        refund.payment.order = order
        preview = preview_of_allocation(refund, wanted)
        preview.refuse_unless_seen(seen)
        allocations = write_allocations(refund, preview.parts)
        RefundChange.objects.create(
            refund=refund, kind=RefundChange.Kind.ALLOCATED, by_id=by_id, note=note.strip()[:300]
        )
        if refund.has_succeeded:
            apply_allocations(refund)
        # Domains lock rows of their own, which come before the teachers' accounts.
        book_allocations(refund, allocations)
        clear_alert(key=f"refund-to-allocate:{refund.pk}")
    return refund


def repeat_refund_of_second_payment(*, refund_id: int, note: str, request_key: str, by_id: int) -> Refund:
    """Refund a second payment again whose refund failed. It belongs to no line, so there is nothing to choose.

    Raises AlreadyRequested or NothingToRepeat.
    """
    with transaction.atomic():
        failed = Refund.objects.select_related("payment").get(pk=refund_id)
        order = Order.objects.select_for_update().get(pk=failed.payment.order_id)
        refuse_repeat(order, request_key)
        payment = Payment.objects.get(pk=failed.payment_id)
        if failed.is_live or failed.reason != Refund.Reason.SECOND_PAYMENT or payment.refundable < failed.amount:
            raise NothingToRepeat("There is nothing to refund again: another member of staff has already refunded it.")
        refund = write_refund_of_second_payment(
            payment, failed.amount, request_key=request_key, note=note, requested_by_id=by_id
        )
        clear_alert(key=f"refund-failed:{failed.pk}")
    return refund


def take_back_units(*, part_id: int, units: int, seen: int, note: str, by_id: int) -> RefundChange:
    """Revoke units of a line that a refund paid back without returning them, as one made at Stripe does.

    `seen` is how many units were revoked when staff opened the page. Raises NothingToTakeBack.
    """
    with transaction.atomic():
        part = RefundAllocation.objects.select_related("refund__payment").get(pk=part_id)
        order = Order.objects.select_for_update().get(pk=part.refund.payment.order_id)
        line = OrderLine.objects.get(pk=part.line_id)
        line.order = order
        left = line.quantity - line.revoked_quantity
        if line.revoked_quantity != seen or not 0 < units <= left or not part.refund.is_live:
            raise NothingToTakeBack("Nothing was changed, because the order has changed since you opened this page.")
        if not revoke_units(line=line, quantity=units, reason="Refunded.", is_returned=False):
            raise NothingToTakeBack("There is nothing to take back: it was never delivered.")
        words = f"{line.title[:150]}: {revoked_words(line.domain, units)}"
        change = RefundChange.objects.create(
            refund=part.refund,
            kind=RefundChange.Kind.REVOKED,
            by_id=by_id,
            note=f"{words}. {note.strip()}".strip()[:300],
        )
        clear_alert(key=f"refund-keeps-access:{part.refund_id}")
    return change
