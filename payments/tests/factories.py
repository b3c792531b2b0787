"""Carts, orders and payments, created by the public functions; the session's id is stored as if it had been opened."""

import itertools
import time
import uuid
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from accounts.tests.factories import TeacherFactory, UserFactory
from money import Money
from payments.checkout import _prepare
from payments.evidence import PaymentEvidence
from payments.models import Cart, CartLine, Payment, Refund
from payments.pricing import price_cart
from payments.refunds.plan import WholeOrder
from payments.refunds.requests import request_refund
from payments.settlement import settle_payment
from payments.tests.sample_domain import SAMPLE

_counter = itertools.count(1)


def sample_offer(*prices, places=10, teacher=None):
    """Offer another item in the sample domain; returns its reference.

    Items without a teacher of their own belong to the one of the last such item.
    """
    reference = str(next(_counter))
    if teacher:
        SAMPLE.teacher_ids[reference] = teacher.pk
    else:
        SAMPLE.teacher_id = TeacherFactory().pk
    SAMPLE.offer(reference, prices=prices or [Money(2500, "GBP")], places=places)
    return reference


def cart_with(*references, user=None, quantity=1):
    """A cart of sample items at their current prices."""
    user = user or UserFactory()
    cart, _ = Cart.objects.get_or_create(user=user)
    for reference in references:
        price = next(iter(SAMPLE.prices[reference].values()))
        cart.currency = price.currency
        CartLine.objects.create(
            cart=cart, domain="sample", reference=reference, quantity=quantity, seen_unit_minor=price.minor
        )
    cart.save()
    return cart


def open_order(*references, user=None, quantity=1, cart=None):
    """An order whose session is open at Stripe, of a cart if one is given; returns its payment."""
    cart = cart or cart_with(*(references or [sample_offer()]), user=user, quantity=quantity)
    prepared = _prepare(user=cart.user or cart.payer, cart=cart, agreed_digest=price_cart(cart).digest)
    payment = Payment.objects.get(pk=prepared.payment_id)
    if payment.has_succeeded:  # it cost nothing
        return payment
    payment.stripe_session_id = f"cs_test_{uuid.uuid4().hex}"
    payment.session_url = f"{settings.SANDBOX_URL}/c/pay/{payment.stripe_session_id}"
    payment.status = Payment.Status.OPEN
    payment.save()
    return payment


def evidence_for(payment, **changes):
    fields = {
        "session_id": payment.stripe_session_id or "",
        "payment_intent_id": f"pi_{payment.reference.hex}",
        "payment_reference": str(payment.reference),
        "total": payment.amount,
        "livemode": False,
    }
    return PaymentEvidence(**{**fields, **changes})


def paid_order(*prices, quantity=1, currency="GBP", user=None):
    """A paid order with a line at each of these prices in minor units, 25.00 and 15.00 if none; returns its payment."""
    references = [sample_offer(Money(minor, currency)) for minor in prices or (2500, 1500)]
    payment = open_order(*references, quantity=quantity, user=user)
    if not payment.has_succeeded:
        settle_payment(evidence_for(payment))
    payment.refresh_from_db()
    return payment


def refunded(payment, wanted=None, **changes):
    """A requested refund of the payment's order; of all that is left unless `wanted` is given."""
    fields = {"reason": Refund.Reason.GOODWILL, "request_key": uuid.uuid4().hex}
    return request_refund(order_id=payment.order_id, wanted=wanted or WholeOrder(), **{**fields, **changes})


def session_object(payment, **changes):
    """A Checkout Session as in Stripe's events; complete and paid unless changed."""
    fields = {
        "id": payment.stripe_session_id,
        "object": "checkout.session",
        "mode": "payment",
        "status": "complete",
        "payment_status": "paid",
        "payment_intent": f"pi_{payment.reference.hex}",
        "amount_total": payment.amount_minor,
        "currency": payment.currency.lower(),
        "livemode": False,
        "client_reference_id": str(payment.reference),
        "expires_at": int(payment.expires_at.timestamp()),
        "url": None,
        "metadata": payment.session_request["metadata"],
    }
    return {**fields, **changes}


def intent_object(payment, **changes):
    """The payment intent of a session; succeeded unless changed."""
    fields = {
        "id": f"pi_{payment.reference.hex}",
        "object": "payment_intent",
        "status": "succeeded",
        "amount": payment.amount_minor,
        "amount_received": payment.amount_minor,
        "currency": payment.currency.lower(),
        "livemode": False,
        "metadata": payment.session_request["metadata"],
        "payment_details": {"customer_reference": None, "order_reference": payment.stripe_session_id},
    }
    return {**fields, **changes}


def refund_object(refund, **changes):
    """A refund of ours as in Stripe's events; succeeded unless changed."""
    fields = {
        "id": refund.stripe_refund_id or f"re_{uuid.uuid4().hex}",
        "object": "refund",
        "status": "succeeded",
        "amount": refund.amount_minor,
        "currency": refund.currency.lower(),
        "payment_intent": refund.payment.stripe_payment_intent_id,
        "metadata": {"refund": refund.idempotency_key, "order": refund.payment.order.number},
    }
    return {**fields, **changes}


def event_of(event_type, obj, **changes):
    """An event around an object."""
    fields = {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": settings.STRIPE_API_VERSION,
        "created": int(time.time()),
        "data": {"object": obj},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
    }
    return {**fields, **changes}


def staff_in(*groups):
    person = User.objects.create_user(f"{uuid4().hex}@example.org", is_staff=True)
    person.groups.set(Group.objects.filter(name__in=groups))
    return person


def client_of(person):
    client = Client()
    client.force_login(person)
    return client
