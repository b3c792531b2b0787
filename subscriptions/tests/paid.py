"""Periods paid through orders, and what happens to them, by the public functions."""

import uuid
from datetime import timedelta

import time_machine
from django.db import transaction
from django.utils import timezone

from ledger.balances import balance_of
from ledger.entries import AccountKind
from payments.evidence import PaymentEvidence
from payments.models import Order, OrderLine, Payment
from payments.refunds.recording import record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import StripeRefund
from payments.tests.factories import refunded
from subscriptions import DOMAIN
from subscriptions.credits import take_credit
from subscriptions.models import SubscriptionPeriod
from subscriptions.periods import open_period
from subscriptions.tests.factories import make_period, make_plan, make_price, make_subscription
from subscriptions.use import record_use

# 29.00 a month: four credits of 5.00, and 9.00 for access.
CREDITS = {"amount_minor": 2900, "credits": 4, "credit_value_minor": 500}


def subscription_with_credits(user=None, **fields):
    price = make_price(make_plan(grants_courses=True), **{**CREDITS, **fields})
    return make_subscription(price, user=user)


def paid_period(subscription=None, **fields):
    """A period that an order has paid and opened; the current month of a subscription with credits unless changed."""
    period = make_period(subscription or subscription_with_credits(), **fields)
    if period.amount_minor:
        settle(order_of(period))
    else:
        with transaction.atomic():
            open_period(SubscriptionPeriod.objects.select_for_update().get(pk=period.pk))
    period.refresh_from_db()
    return period


@transaction.atomic
def order_of(period):
    """An unpaid order for a period; returns its payment."""
    amount, now = period.amount_minor, timezone.now()
    order = Order.objects.create(
        number=f"L{uuid.uuid4().hex[:8].upper()}",
        user=period.subscription.user,
        currency=period.currency,
        subtotal_minor=amount,
        discount_minor=0,
        total_minor=amount,
    )
    OrderLine.objects.create(
        order=order,
        domain=DOMAIN,
        reference=str(period.pk),
        title=period.price.plan.name,
        teacher=None,
        quantity=1,
        unit_amount_minor=amount,
        amount_minor=amount,
        commission_bps=10_000,
        platform_fee_minor=amount,
        teacher_share_minor=0,
    )
    return Payment.objects.create(
        order=order,
        reference=(reference := uuid.uuid4()),
        idempotency_key=f"invoice-{reference}",
        status=Payment.Status.OPEN,
        amount_minor=amount,
        currency=period.currency,
        expires_at=now + timedelta(hours=1),
        stripe_session_id=f"cs_{reference.hex}",
        livemode=False,
    )


def settle(payment):
    return settle_payment(
        PaymentEvidence(
            session_id=payment.stripe_session_id,
            payment_intent_id=f"pi_{payment.reference.hex}",
            payment_reference=str(payment.reference),
            total=payment.amount,
            livemode=False,
        )
    )


def payment_of(period):
    return Payment.objects.get(order__lines=period.line_id, status=Payment.Status.SUCCEEDED)


def refund_period(period, *, ends="succeeded"):
    """Refund all that was paid for a period, which revokes it."""
    refund = refunded(payment_of(period))
    return record_refund(
        StripeRefund(
            id=f"re_{refund.idempotency_key}",
            status=ends,
            amount=refund.amount,
            payment_intent_id=f"pi_{refund.payment.reference.hex}",
            refund_key=refund.idempotency_key,
        )
    )


def later(**time):
    """The site's clock moved ahead."""
    return time_machine.travel(timezone.now() + timedelta(**time), tick=True)


def use(subscription, teacher, *lessons, finished=()):
    for lesson in lessons:
        record_use(subscription_id=subscription.pk, teacher_id=teacher.pk, item=f"lesson:{teacher.pk}:{lesson}")
    for lesson in finished:
        record_use(
            subscription_id=subscription.pk,
            teacher_id=teacher.pk,
            item=f"lesson:{teacher.pk}:{lesson}",
            is_finished=True,
        )


def unearned(currency="GBP"):
    return balance_of(AccountKind.SUBSCRIPTIONS_UNEARNED, currency).minor


def fees(currency="GBP"):
    return balance_of(AccountKind.PLATFORM_FEES, currency).minor


def earned_by(teacher, currency="GBP"):
    return balance_of(AccountKind.TEACHER_AVAILABLE, currency, teacher_id=teacher.pk).minor


def take(user, teacher, used_for, least=None):
    with transaction.atomic():
        return take_credit(
            user_id=user.pk,
            used_for=used_for,
            title="French lesson",
            teacher_id=teacher.pk,
            least_values={"GBP": 1} if least is None else least,
        )
