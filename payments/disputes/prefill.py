"""Evidence texts proposed to staff, from what the site knows about an order. Staff correct them before they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings

from notifications.models import Mail
from payments.models import Dispute, Order, OrderLine, Refund
from payments.models.order import lines_in_lock_order
from payments.registry import UnknownDomain, handler_for

_MAILS_AT_MOST = 30


def propose_texts(dispute: Dispute) -> dict[str, str]:
    """Texts by Stripe's names of the fields; only those that the site can fill."""
    order = dispute.payment.order
    lines = lines_in_lock_order(order)
    texts = {
        "product_description": _what_was_bought(order, lines),
        "service_date": _service_date(lines),
        "customer_name": order.user.full_name,
        "customer_email_address": order.user.email,
        "access_activity_log": _what_happened(order, lines),
        "refund_policy_disclosure": _policies(lines),
        "refund_refusal_explanation": _refunds(dispute),
    }
    return {name: text for name, text in texts.items() if text}


def refunded_before(dispute: Dispute) -> list[Refund]:
    """The refunds of the disputed payment that Stripe confirmed: evidence that the student has the money already."""
    return list(dispute.payment.refunds.filter(status=Refund.Status.SUCCEEDED).order_by("succeeded_at"))


def _what_was_bought(order: Order, lines: Sequence[OrderLine]) -> str:
    bought = [
        f"- {line.counted_title} by {line.seller_name}"
        + (f", {line.description}" if line.description else "")
        + f": {line.amount}"
        for line in lines
    ]
    heading = f"Order {order.number} at {settings.SITE_NAME}, {order.total} in total, paid {_at(order.paid_at)}:"
    return "\n".join([heading, *bought])


def _service_date(lines: Sequence[OrderLine]) -> str:
    """The first delivery. Stripe and the banks want one date."""
    delivered = sorted(line.fulfilled_at for line in lines if line.fulfilled_at)
    return f"{delivered[0]:%-d %B %Y}" if delivered else ""


def _what_happened(order: Order, lines: Sequence[OrderLine]) -> str:
    events = [(order.created_at, "The student placed the order while signed in to their account.")]
    if order.paid_at:
        events.append((order.paid_at, f"{order.total} was paid."))
    events += [(line.fulfilled_at, f"Delivered: {line.counted_title}.") for line in lines if line.fulfilled_at]
    mails = Mail.objects.filter(user=order.user, sent_at__gte=order.created_at, key__contains=order.number)
    events += [
        (mail.sent_at, f"Email to {mail.to}: {mail.subject}")
        for mail in mails.order_by("sent_at")[:_MAILS_AT_MOST]
        if mail.sent_at
    ]
    return "\n".join(f"{_at(moment)}: {what}" for moment, what in sorted(events, key=lambda event: event[0]))


def _policies(lines: Sequence[OrderLine]) -> str:
    """What the student was promised about refunds, as it was frozen when they paid."""
    texts = [f"- {line.title}: {promise}" for line in lines if (promise := _promise(line))]
    if not texts:
        return ""
    return "\n".join(["Shown on the item's page before the student paid, and kept with the order:", *texts])


def _promise(line: OrderLine) -> str:
    if text := line.policy.get("text"):
        return str(text)
    try:
        steps = handler_for(line.domain).cancellation_terms(line.as_sold()).steps
    except UnknownDomain:
        return ""
    parts = [f"{step.amount} back until {_at(step.until)}" if step.until else f"{step.amount} back" for step in steps]
    return f"{', '.join(parts)}, nothing after that." if parts else ""


def _refunds(dispute: Dispute) -> str:
    refunds = refunded_before(dispute)
    if not refunds:
        return ""
    lines = [
        f"- {refund.amount} on {_at(refund.succeeded_at)}, Stripe's {refund.stripe_refund_id}" for refund in refunds
    ]
    return "\n".join(["Refunded already to the same card:", *lines])


def _at(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%-d %B %Y, %H:%M} UTC" if moment else "–"
