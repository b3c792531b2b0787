"""What a refund will do, as staff see it before they confirm, and the digests by which a changed preview is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.models import Teacher
from money import Money
from payments.models import Order, OrderLine, Payment, Refund
from payments.models.order import lines_in_lock_order
from payments.refunds.plan import PlannedPart, RefundRefused, Wanted, total_of
from payments.refunds.requests import plan_refund_of
from payments.registry import revoke_words


class PreviewOutdated(RefundRefused):
    """What would be done now is not what staff have seen. Nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The figures of a refund or an allocation, per line and in total. `remaining` is what can be refunded after it."""

    parts: Sequence[PlannedPart]
    total: Money
    fee: Money
    platform_tax: Money
    shares: Sequence[tuple[Teacher, Money]]
    stripe_fee: Money | None
    remaining: Money
    # What staff chose, and what they chose it from. Sent with the form and compared under the order's lock.
    plan_digest: str
    basis_digest: str

    @property
    def digest(self) -> str:
        """Identifies this preview in a form."""
        return f"{self.plan_digest}.{self.basis_digest}"

    @property
    def rows(self) -> list[tuple[PlannedPart, str]]:
        """The parts, and what happens to what their lines delivered."""
        return [(part, _effect_of(part)) for part in self.parts]

    def refuse_unless_seen(self, seen: str) -> None:
        """Raise PreviewOutdated if `seen` is the digest of another preview."""
        refuse_other_basis(seen, self.basis_digest)
        if seen != self.digest:
            raise PreviewOutdated("You changed the form. Nothing was booked. Check the new figures and confirm.")


def refuse_other_basis(seen: str, basis_digest: str) -> None:
    """Raise PreviewOutdated if what remains has changed since the preview with the digest `seen`."""
    if seen.partition(".")[2] != basis_digest:
        raise PreviewOutdated(
            "Another refund or dispute has changed what remains since you opened this page. Nothing was booked."
            " Check the new figures and confirm again."
        )


def staleness_of(seen: str, basis_digest: str) -> str:
    """The text of PreviewOutdated if what remains has changed since; empty if not, or if nothing was shown before."""
    try:
        if seen:
            refuse_other_basis(seen, basis_digest)
    except PreviewOutdated as stale:
        return str(stale)
    return ""


def preview_of_request(order: Order, wanted: Wanted) -> Preview:
    """Preview a refund of the order. Raises as `plan_refund_of` does."""
    parts = plan_refund_of(order, wanted)
    payment = order.payments.get(status=Payment.Status.SUCCEEDED)
    remaining = payment.refundable - total_of(parts)
    return preview_of_parts(parts, payment, remaining=remaining, basis_digest=basis_digest_of(order))


def basis_digest_of(order: Order, refund: Refund | None = None) -> str:
    """Marks all that a plan depends on and others may change; for an allocation, also what is left of the refund."""
    payment = order.payments.filter(status=Payment.Status.SUCCEEDED).first()
    lines = [_state_of(line) for line in lines_in_lock_order(order)]
    return _digest_of(
        [payment.refundable.minor if payment else 0, refund.to_allocate.minor if refund else None, *lines]
    )


def preview_of_parts(parts: Sequence[PlannedPart], payment: Payment, *, remaining: Money, basis_digest: str) -> Preview:
    """Preview planned parts of a payment. Raises nothing: the parts were checked when they were planned."""
    total = total_of(parts)
    return Preview(
        parts=parts,
        total=total,
        fee=_sum((part.fee for part in parts), total.currency),
        platform_tax=_sum((part.platform_tax for part in parts), total.currency),
        shares=_shares_of(parts),
        stripe_fee=payment.stripe_fee,
        remaining=remaining,
        plan_digest=_digest_of([[part.line.pk, part.amount.minor, part.quantity] for part in parts]),
        basis_digest=basis_digest,
    )


def _effect_of(part: PlannedPart) -> str:
    """What happens to what the line delivered. Units count in total, so those revoked before are not revoked again."""
    line = part.line
    if line.state == OrderLine.State.UNDELIVERABLE:
        return "It was never delivered."
    if line.state == OrderLine.State.REVOKED:
        return "It has been taken back already."
    if not part.quantity:
        return "The student keeps it."
    newly = line.refunded_quantity + part.quantity + line.unreturned_quantity - line.revoked_quantity
    newly = min(newly, line.quantity - line.revoked_quantity)
    if newly <= 0:
        return "These places have been taken back already."
    label = revoke_words(line.domain, newly)
    return f"{label}." if line.quantity == 1 else f"{label}: {newly} of {line.quantity}."


def _state_of(line: OrderLine) -> list[int]:
    return [line.pk, line.refunded_minor, line.disputed_minor, line.refunded_quantity, line.revoked_quantity]


def _shares_of(parts: Sequence[PlannedPart]) -> list[tuple[Teacher, Money]]:
    shares: dict[Teacher, Money] = {}
    for part in parts:
        teacher = part.line.teacher
        if teacher is None:
            continue
        shares[teacher] = shares.get(teacher, Money.zero(part.share.currency)) + part.share
    return list(shares.items())


def _sum(amounts: Iterable[Money], currency: str) -> Money:
    return sum(amounts, Money.zero(currency))


def _digest_of(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:20]
