"""Orders that Stripe's invoices make: Stripe has charged the student, and the order is written and settled in one step."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import connection
from django.utils import timezone

from money import Money
from payments.models import Order, OrderLine, Payment
from payments.orders import ALL_BPS, new_order_number
from payments.settlement import settle_invoiced_order
from payments.tax.amounts import divide, tax_of
from payments.tax.rates import taxation_of

# The books have a separate date only where it matters: such a journal makes balances at past moments slower to add up.
_IN_TIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidInvoice:
    """A paid invoice of Stripe: what was really paid, and with which payment intent."""

    id: str
    payment_intent_id: str
    amount: Money
    paid_at: datetime
    livemode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicedLine:
    """What an invoice paid for, as its domain names it. The platform itself sells it."""

    domain: str
    reference: str
    title: str
    description: str


def settle_invoice(invoice: PaidInvoice, line: InvoicedLine, *, user_id: int) -> Order:
    """The order of a paid invoice, written and settled now unless it was before.

    Call in a transaction that holds a lock on what was subscribed to, so that parallel reports of one invoice wait for
    each other; the unique key of the payment is the last guard. Raises PaymentDisagrees if the intent paid another
    order.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("an invoice is settled in the transaction that records it")
    key = f"lectern-invoice-{invoice.id}"
    known = Payment.objects.filter(idempotency_key=key).select_related("order").first()
    if known is not None:
        return known.order
    order = _write_order(invoice, line, user_id=user_id)
    payment = Payment.objects.create(
        order=order,
        reference=uuid.uuid4(),
        idempotency_key=key,
        amount_minor=invoice.amount.minor,
        currency=invoice.amount.currency,
        expires_at=timezone.now(),
        livemode=invoice.livemode,
    )
    is_late = timezone.now() - invoice.paid_at > _IN_TIME
    settle_invoiced_order(
        order, payment, intent_id=invoice.payment_intent_id, happened_at=invoice.paid_at if is_late else None
    )
    return order


def _write_order(invoice: PaidInvoice, line: InvoicedLine, *, user_id: int) -> Order:
    amount = invoice.amount
    # Stripe has charged the price as it is, so it includes the tax whatever the setting says of other prices.
    taxation = replace(taxation_of(line.domain, is_sold_by_teacher=False, on=invoice.paid_at.date()), is_added=False)
    line_tax = tax_of(amount, taxation)
    tax = line_tax.tax
    divided = divide(line_tax, taxation=taxation, commission_bps=ALL_BPS, by_platform=Money.zero(amount.currency))
    order = Order.objects.create(
        number=new_order_number(),
        user_id=user_id,
        cart_digest=sha256(invoice.id.encode()).hexdigest(),
        currency=amount.currency,
        subtotal_minor=amount.minor,
        total_minor=amount.minor,
        tax_minor=tax.minor,
    )
    OrderLine.objects.create(
        order=order,
        domain=line.domain,
        reference=line.reference,
        quantity=1,
        title=line.title[:200],
        description=line.description[:300],
        unit_amount_minor=amount.minor,
        amount_minor=amount.minor,
        tax_bps=taxation.bps,
        tax_minor=tax.minor,
        commission_bps=ALL_BPS,
        platform_tax_minor=divided.platform_tax.minor,
        platform_fee_minor=divided.fee.minor,
        teacher_share_minor=divided.share.minor,
    )
    return order
