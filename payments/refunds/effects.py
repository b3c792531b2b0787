"""What follows when the status of a refund changes: returned units are revoked, and student and teachers get mails.

Units are revoked when Stripe confirms the refund, not when it is requested: a refund may fail, and then the student
keeps what they paid for. Nothing that was revoked is delivered again if the refund fails after that, since the place
may be taken by then; staff are alerted and decide.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Sum
from django.urls import reverse

from notifications.alerts import clear_alert, raise_alert
from payments.announcements import announce_refund, announce_refund_to_teachers
from payments.mails import queue_refund_failed, queue_refund_pending, queue_refund_succeeded, queue_teachers_refunded
from payments.models import OrderLine, Refund, RefundAllocation, RefundChange
from payments.models.order import lines_in_lock_order
from payments.reasons import BY_STUDENT_REFUNDED, BY_TEACHER_REFUNDED
from payments.registry import revoked_words
from payments.revocation import revoke_units

# The reasons that students read; staff's note is never shown to them.
_SHOWN_REASONS: Mapping[str, str] = {
    Refund.Reason.STUDENT_CANCELLED: BY_STUDENT_REFUNDED,
    Refund.Reason.TEACHER_CANCELLED: BY_TEACHER_REFUNDED,
}
_STATUS = Refund.Status


def apply_status(refund: Refund) -> None:
    """Apply the effects of a refund's new status. Call once per change, with the order locked."""
    if refund.status in (_STATUS.PENDING, _STATUS.REQUIRES_ACTION):
        queue_refund_pending(refund)
    elif refund.has_succeeded:
        queue_refund_succeeded(refund)
        announce_refund(refund)
        apply_allocations(refund)
        _alert_if_access_is_kept(refund)
    elif not refund.is_live:
        queue_refund_failed(refund)
        clear_alert(key=f"refund-to-allocate:{refund.pk}")


def apply_allocations(refund: Refund) -> None:
    """Revoke the units that a succeeded refund returns, and mail their teachers. A repeat changes nothing.

    Call with the order locked, when the refund succeeds, or when one that succeeded before is allocated to lines.
    """
    returned = _returned_units(refund)
    for line in lines_in_lock_order(refund.payment.order):
        if line.pk not in returned:
            continue
        # A cancellation has revoked its units when it was made.
        missing = returned[line.pk] + line.unreturned_quantity - line.revoked_quantity
        newly = revoke_units(line=line, quantity=missing, reason=_SHOWN_REASONS.get(refund.reason, "Refunded."))
        if newly:
            RefundChange.objects.create(refund=refund, kind=RefundChange.Kind.REVOKED, note=_words_for(line, newly))
    queue_teachers_refunded(refund)
    announce_refund_to_teachers(refund)


def _alert_if_access_is_kept(refund: Refund) -> None:
    """Ask staff about lines that a refund made at Stripe paid back in full: it cannot say whether units go back."""
    if refund.reason != Refund.Reason.MADE_AT_STRIPE:
        return
    parts = refund.allocations.filter(quantity=0).select_related("line")
    kept = [
        part.line for part in parts if part.line.is_delivered and part.line.refunded_minor == part.line.amount_minor
    ]
    if kept:
        order = refund.payment.order
        raise_alert(
            key=f"refund-keeps-access:{refund.pk}",
            title=f"Order {order.number}: refunded in full at Stripe, but the student keeps what they bought",
            detail={
                "order": order.number,
                "lines": ", ".join(line.counted_title for line in kept),
                "page": reverse("admin:payments_order_change", args=[order.pk]),
            },
        )


def _returned_units(refund: Refund) -> dict[int, int]:
    """For each line of which this refund returns units: how many all succeeded refunds return together."""
    of_this = refund.allocations.filter(quantity__gt=0).values("line")
    sums = (
        RefundAllocation.objects.filter(line__in=of_this, refund__status=_STATUS.SUCCEEDED)
        .values("line")
        .annotate(units=Sum("quantity"))
    )
    return {row["line"]: row["units"] for row in sums}


def _words_for(line: OrderLine, units: int) -> str:
    return f"{line.title[:200]}: {revoked_words(line.domain, units)}"
