"""What a paid invoice of a subscription becomes: a period, and an order of payments for what was paid."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from jobs.models import WorkPostponed
from payments.invoiced import InvoicedLine, PaidInvoice, settle_invoice
from subscriptions import DOMAIN
from subscriptions.models import PlanPrice, Subscription, SubscriptionChange, SubscriptionPeriod
from subscriptions.periods import open_period
from subscriptions.stripe_objects import InvoicedPeriod, StripeInvoice

_Kind = SubscriptionPeriod.Kind
# Other invoices, such as those that staff write by hand, pay for no period.
_KINDS = {
    "subscription_create": _Kind.START,
    "subscription_cycle": _Kind.RENEWAL,
    "subscription_update": _Kind.CHANGE,
}
# Stripe links the payment to the invoice some seconds after that was paid.
_UNTIL_LINKED = timedelta(seconds=5)


def record_paid_invoice(row: Subscription, invoice: StripeInvoice) -> None:
    """Write the period and the order of a paid invoice, unless they were written before. Call with the row locked."""
    kind, billed = _KINDS.get(invoice.billing_reason), invoice.billed
    if kind is None or billed is None or not invoice.is_paid:
        return
    price = PlanPrice.objects.select_related("plan").filter(stripe_price_id=billed.price_id).first()
    if price is None or SubscriptionPeriod.objects.filter(stripe_invoice_id=invoice.id).exists():
        return
    if invoice.amount_paid.minor and not invoice.payment_intent_id:
        raise WorkPostponed(f"Stripe has not linked the payment of {invoice.id} yet", delay=_UNTIL_LINKED)
    period = _write_period(row, invoice, kind=kind, price=price, billed=billed)
    SubscriptionChange.objects.create(
        subscription=row,
        kind=SubscriptionChange.Kind.RENEWED,
        price=price,
        detail=f"{invoice.amount_paid}, {period.get_kind_display().lower()}",
    )
    if not invoice.amount_paid.minor:
        open_period(period)
        return
    settle_invoice(
        PaidInvoice(
            id=invoice.id,
            payment_intent_id=invoice.payment_intent_id,
            amount=invoice.amount_paid,
            paid_at=invoice.paid_at or timezone.now(),
            livemode=invoice.livemode,
        ),
        InvoicedLine(
            domain=DOMAIN,
            reference=str(period.pk),
            title=f"{price.plan.name}, {price.get_interval_display().lower()}",
            description=f"{_day(billed.starts_at)} to {_day(billed.ends_at)}",
        ),
        user_id=row.user_id,
    )


def _write_period(
    row: Subscription,
    invoice: StripeInvoice,
    *,
    kind: SubscriptionPeriod.Kind,
    price: PlanPrice,
    billed: InvoicedPeriod,
) -> SubscriptionPeriod:
    amount = invoice.amount_paid.minor
    count = _credits_of(row, price, kind=kind, billed=billed, amount_minor=amount)
    return SubscriptionPeriod.objects.create(
        subscription=row,
        price=price,
        stripe_invoice_id=invoice.id,
        kind=kind,
        starts_at=billed.starts_at,
        ends_at=billed.ends_at,
        amount_minor=amount,
        currency=invoice.amount_paid.currency,
        credits=count,
        credit_value_minor=min(price.credit_value_minor, amount // count) if count else 0,
    )


def _credits_of(
    row: Subscription, price: PlanPrice, *, kind: SubscriptionPeriod.Kind, billed: InvoicedPeriod, amount_minor: int
) -> int:
    """The credits that a payment brings; none in a trial.

    A change in the middle of a period adds what the new plan has more, as far as what was paid covers it.
    """
    if not amount_minor or not price.credits:
        return 0
    if kind != _Kind.CHANGE:
        return price.credits
    earlier = row.periods.filter(ends_at=billed.ends_at).exclude(price=price).order_by("-pk").first()
    more = price.credits - (earlier.price.credits if earlier else 0)
    return max(min(more, amount_minor // price.credit_value_minor), 0)


def _day(moment: object) -> str:
    return f"{moment:%-d %B %Y}"
