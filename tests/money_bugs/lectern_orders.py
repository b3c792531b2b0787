"""Orders that no page of Lectern makes yet: with a discount, or with a second page that can be paid."""

import uuid
from dataclasses import replace

from django.utils import timezone

from money.shares import spread
from payments.models import Payment
from payments.orders import write_order
from payments.pricing import price_cart


def second_page_of(first):
    """Another page of the payment's order, of which only Stripe knows that it can still be paid."""
    reference = uuid.uuid4()
    return Payment.objects.create(
        order=first.order,
        reference=reference,
        idempotency_key=f"lectern-session-{reference}",
        session_request=first.session_request,
        status=Payment.Status.EXPIRED,
        ended_at=timezone.now(),
        stripe_session_id=f"cs_test_{reference.hex}",
        amount_minor=first.amount_minor,
        currency=first.currency,
        expires_at=first.expires_at,
        livemode=False,
    )


def write_discounted_order(cart, discount):
    """An order of what is in the cart, with a discount spread over its lines."""
    priced = price_cart(cart)
    parts = spread(discount, over=[line.list_amount for line in priced.lines])
    lines = [replace(line, discount_minor=part.minor) for line, part in zip(priced.lines, parts, strict=True)]
    return write_order(user_id=cart.user_id, priced=replace(priced, lines=lines))
