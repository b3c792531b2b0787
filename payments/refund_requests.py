"""Refunds and allocations by staff: exactly what they saw in the preview, once, with a record of who and why."""

from __future__ import annotations

from django.db import transaction

from notifications.alerts import clear_alert
from payments.models import Order, Refund, RefundChange
from payments.models.order import lines_in_lock_order
from payments.refund_effects import apply_allocations
from payments.refund_plan import InvalidRefundPart, RefundRefused, Wanted, plan_refund, total_of
from payments.refund_preview import Preview, basis_mark_of, preview_of_parts, preview_of_request
from payments.refunds import request_refund, write_allocations


class AlreadyRequested(RefundRefused):
    """The form was sent before; `refund` is what came of it."""

    def __init__(self, refund: Refund) -> None:
        super().__init__(f"This form was sent before: {refund.amount} was refunded with it, and nothing more now.")
        self.refund = refund


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
    """Request the refund that staff saw in the preview with the mark `seen`.

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
        parts, payment, remaining=payment.refundable, basis_mark=basis_mark_of(payment.order, refund)
    )


def allocate_refund(*, refund_id: int, wanted: Wanted, seen: str, note: str, by_id: int) -> Refund:
    """Allocate a refund made at Stripe to the lines that staff saw in the preview with the mark `seen`.

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
        write_allocations(refund, preview.parts)
        RefundChange.objects.create(
            refund=refund, kind=RefundChange.Kind.ALLOCATED, by_id=by_id, note=note.strip()[:300]
        )
        if refund.has_succeeded:
            apply_allocations(refund)
        clear_alert(key=f"refund-to-allocate:{refund.pk}")
    return refund
