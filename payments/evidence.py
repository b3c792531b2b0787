"""Find our payment for what Stripe reports, and compare the two. If they disagree, nothing is delivered."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from django.db import IntegrityError
from django.db.models import Q, QuerySet

from money import Money
from payments.metadata import OurMetadata
from payments.models import Cart, Order, OrderLine, Payment
from payments.registry import UnknownDomain, registered_domains
from payments.stripe_objects import CheckoutSession, ComputedTax


class PaymentDisagrees(Exception):
    """What Stripe reports contradicts the order it points to. It is never delivered; staff must look at it."""


class PaymentUnknown(Exception):
    """No payment of ours matches what Stripe reports."""


class SessionNotStoredYet(Exception):
    """The payment is ours, but the process that opened its session or intent has not stored that id yet."""


class ConfirmationNeeded(Exception):
    """Stripe must be asked before the payment can be acted on.

    Only metadata links an intent to it, which people can edit; or Stripe computed a tax, which events do not report.
    """

    def __init__(self, payment: Payment) -> None:
        super().__init__(str(payment))
        self.payment = payment


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvidence:
    """What Stripe reports about a payment. Strings are empty if it does not report them.

    `payment_reference` is read from metadata and only helps to find the payment: the ids stored with it decide.
    """

    session_id: str
    payment_intent_id: str
    payment_reference: str
    total: Money
    livemode: bool
    metadata: OurMetadata = field(default_factory=OurMetadata)
    # What Stripe computed, by order line; None if it did not, or if the report does not say.
    taxes: Mapping[int, ComputedTax] | None = None

    @classmethod
    def from_session(cls, session: CheckoutSession) -> Self:
        """Raises PaymentDisagrees if the session contradicts itself."""
        if session.payment_status == "no_payment_required" and session.total.minor:
            raise PaymentDisagrees(f"No payment was required, but the total is {session.total.minor} in minor units.")
        return cls(
            session_id=session.id,
            payment_intent_id=session.payment_intent_id,
            payment_reference=session.reference,
            total=session.total,
            livemode=session.livemode,
            metadata=session.metadata,
            taxes=session.taxes,
        )


def find_payment(*, session_id: str, payment_intent_id: str, payment_reference: str) -> Payment:
    """Find the payment by the ids we stored. The reference from metadata can contradict them, but never replace them.

    Raises PaymentUnknown; PaymentDisagrees if ids and reference name different payments; SessionNotStoredYet or
    ConfirmationNeeded if only the reference names one.
    """
    reference = _uuid_or_none(payment_reference)
    candidates = list(
        _candidates(session_id=session_id, payment_intent_id=payment_intent_id, payment_reference=payment_reference)
    )
    by_session = next((a for a in candidates if session_id and a.stripe_session_id == session_id), None)
    by_intent = next(
        (a for a in candidates if payment_intent_id and a.stripe_payment_intent_id == payment_intent_id), None
    )
    by_reference = next((a for a in candidates if reference and a.reference == reference), None)
    if by_session and by_intent and by_session.pk != by_intent.pk:
        raise PaymentDisagrees("The session belongs to one payment, the payment intent to another.")
    known = by_session or by_intent
    if known and by_reference and known.pk != by_reference.pk:
        raise PaymentDisagrees("The ids belong to one payment, the metadata to another.")
    if known:
        return known
    if by_reference is None:
        raise PaymentUnknown(session_id or payment_intent_id)
    if by_reference.stripe_session_id is None and by_reference.stripe_payment_intent_id is None:
        raise SessionNotStoredYet(str(by_reference))
    if session_id:
        raise PaymentDisagrees("The metadata names a payment that was paid through another session.")
    if by_reference.stripe_payment_intent_id:
        raise PaymentDisagrees("The metadata names a payment that another payment intent paid.")
    raise ConfirmationNeeded(by_reference)


def _candidates(*, session_id: str, payment_intent_id: str, payment_reference: str) -> QuerySet[Payment]:
    """The payments that any of the ids or the reference names."""
    reference = _uuid_or_none(payment_reference)
    is_named = Q(reference=reference) if reference else Q(pk=None)
    if session_id:
        is_named |= Q(stripe_session_id=session_id)
    if payment_intent_id:
        is_named |= Q(stripe_payment_intent_id=payment_intent_id)
    return Payment.objects.filter(is_named)


def _uuid_or_none(text: str) -> uuid.UUID | None:
    """Parse the reference in metadata, which may be any text: people with access to Stripe's Dashboard can edit it."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def lock_order_of(evidence: PaymentEvidence) -> tuple[Order, Payment]:
    """Lock the order, after its cart, and read its payment under that lock. Raises as find_payment does."""
    ids = {
        "session_id": evidence.session_id,
        "payment_intent_id": evidence.payment_intent_id,
        "payment_reference": evidence.payment_reference,
    }
    order_ids = _candidates(**ids).values("order_id")
    # The cart first, as everywhere: settlement removes lines from it.
    carts = Cart.objects.filter(pk__in=Order.objects.filter(pk__in=order_ids).values("cart_id"))
    list(carts.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    # There are several only if ids and metadata disagree, which `find_payment` detects under the lock.
    orders = (
        Order.objects.select_for_update(of=("self",))
        .select_related("user", "cart")
        .filter(pk__in=order_ids)
        .order_by("pk")
        .in_bulk()
    )
    payment = find_payment(**ids)
    if payment.order_id not in orders:
        raise SessionNotStoredYet(f"{payment}, stored after its order was looked up")
    return orders[payment.order_id], payment


def refuse_disagreement(evidence: PaymentEvidence, order: Order, payment: Payment) -> None:
    """Compare what was paid with what was ordered. Raises PaymentDisagrees."""
    if evidence.total.currency != order.currency or evidence.total.minor != order.total_minor:
        # Plain numbers, because Stripe's amount may be one that cannot be formatted as money.
        raise PaymentDisagrees(
            f"Paid {evidence.total.minor} {evidence.total.currency} in minor units,"
            f" but the order's total is {order.total_minor} {order.currency}."
        )
    if evidence.livemode != payment.livemode:
        raise PaymentDisagrees("Live and test mode are mixed.")
    _refuse_other_buyer(evidence.metadata, order)
    stored_intent = payment.stripe_payment_intent_id
    if stored_intent and evidence.payment_intent_id and evidence.payment_intent_id != stored_intent:
        raise PaymentDisagrees("Another payment intent paid this payment before.")


def _refuse_other_buyer(metadata: OurMetadata, order: Order) -> None:
    if metadata.order and metadata.order != order.number:
        raise PaymentDisagrees(f"The metadata names another order, {metadata.order[:50]!r}.")
    if metadata.buyer and metadata.buyer != str(order.user_id):
        raise PaymentDisagrees(f"The metadata names another buyer, {metadata.buyer[:50]!r}.")


def refuse_other_domains(metadata: OurMetadata, lines: Sequence[OrderLine]) -> None:
    """Compare the domains in the metadata with those of the order. Raises UnknownDomain or PaymentDisagrees."""
    for domain in sorted(metadata.domains - registered_domains()):
        raise UnknownDomain(domain)
    if others := metadata.domains - {line.domain for line in lines}:
        raise PaymentDisagrees(f"The metadata names {', '.join(sorted(others))}, but the order has no line of that.")


@contextlib.contextmanager
def intent_used_once() -> Iterator[None]:
    """Translate the violation of "one intent pays once" into PaymentDisagrees, since no retry would resolve it."""
    try:
        yield
    except IntegrityError as clash:
        if "stripe_payment_intent_id" not in str(clash):
            raise
        raise PaymentDisagrees("Another payment was paid with this payment intent.") from clash
