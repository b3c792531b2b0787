"""How orders are answered, and what callers send to cancel what they bought."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.reverse import reverse

from payments.cancellations.lines import Offer
from payments.models import Order, OrderLine
from payments.registry import UnknownDomain, handler_for


class SoldGiftAnswer(serializers.Serializer[Any]):
    """A line that was bought as a gift."""

    receiver = serializers.CharField(help_text="The name that the buyer gave.")
    state = serializers.CharField(help_text="In words, such as “Not redeemed yet”.")
    redeemed_at = serializers.DateTimeField(allow_null=True)
    url = serializers.URLField(
        allow_null=True, help_text="The buyer's page of the gift, with its code; null until paid."
    )


class OrderLineAnswer(serializers.Serializer[Any]):
    """One thing that was bought."""

    id = serializers.IntegerField()
    domain = serializers.CharField()
    reference = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    teacher = serializers.CharField(
        allow_blank=True, help_text="`slug` of the teacher; empty for what the site itself sells."
    )
    quantity = serializers.IntegerField()
    unit_amount = serializers.CharField()
    discount = serializers.CharField()
    amount = serializers.CharField()
    tax = serializers.CharField(help_text="Contained in the amount.")
    tax_bps = serializers.IntegerField(help_text="The rate in basis points: 2000 is 20 %.")
    tax_added = serializers.CharField(help_text="The part of the tax that `unit_amount` does not include.")
    seller = serializers.CharField(
        allow_blank=True, help_text="The teacher who owes the tax; empty if the platform is the seller."
    )
    seller_tax_number = serializers.CharField(allow_blank=True)
    refunded = serializers.CharField()
    state = serializers.ChoiceField(choices=OrderLine.State.choices)
    url = serializers.URLField(allow_null=True, help_text="What was delivered; null if nothing was.")
    gift = SoldGiftAnswer(allow_null=True)


class UsedCode(serializers.Serializer[Any]):
    """A discount code that an order used."""

    code = serializers.CharField()
    amount = serializers.CharField(help_text="What it took off.")


class OrderSummary(serializers.Serializer[Any]):
    """An order in a list."""

    number = serializers.CharField()
    state = serializers.ChoiceField(choices=Order.State.choices)
    currency = serializers.CharField(help_text="ISO 4217 code.")
    subtotal = serializers.CharField()
    discount = serializers.CharField()
    discount_codes = UsedCode(many=True)
    total = serializers.CharField()
    tax = serializers.CharField(help_text="Contained in the total.")
    tax_added = serializers.CharField(
        help_text="The part of the tax that the subtotal does not include: it is in the total besides."
    )
    created_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)
    receipt = serializers.URLField(allow_null=True, help_text="The receipt as a PDF; null until it is paid.")
    url = serializers.URLField(help_text="The student's page of the order.")
    lines = OrderLineAnswer(many=True)


class CancellationSent(serializers.Serializer[Any]):
    """Which places to cancel, and the digest of the offer that was shown."""

    places = serializers.ListField(
        child=serializers.CharField(max_length=100), allow_empty=False, max_length=1000, help_text="Their `key`s."
    )
    digest = serializers.RegexField(r"^[0-9a-f]{64}\Z", help_text="Of the offer for exactly these places.")


class PlaceAnswer(serializers.Serializer[Any]):
    """A place that can be cancelled."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # of the class, not of its instances


class CancellationAnswer(serializers.Serializer[Any]):
    """What comes back for cancelling places now."""

    places = PlaceAnswer(many=True)
    currency = serializers.CharField(help_text="ISO 4217 code.")
    amount = serializers.CharField(help_text="What comes back.")
    kept = serializers.CharField(help_text="What was paid and does not come back.")
    until = serializers.DateTimeField(allow_null=True, help_text="Until when this holds; null if it has no end.")
    digest = serializers.CharField(help_text="Send it to accept this offer.")


class CancelledAnswer(serializers.Serializer[Any]):
    """What was cancelled."""

    currency = serializers.CharField()
    amount = serializers.CharField(help_text="What is on its way back.")
    order = serializers.CharField()


def describe_order(order: Order) -> dict[str, Any]:
    """An order as `OrderSummary` takes it. Prefetch `lines__teacher`, `lines__gift` and `redemptions__code`."""
    lines = list(order.lines.all())
    for line in lines:
        line.order = order
    return {
        "number": order.number,
        "state": order.state,
        "currency": order.currency,
        "subtotal": order.subtotal.to_major(),
        "discount": order.discount.to_major(),
        "discount_codes": [
            {"code": use.code.code, "amount": use.discount.to_major()} for use in order.redemptions.all()
        ],
        "total": order.total.to_major(),
        "tax": order.tax.to_major(),
        "tax_added": order.tax_added.to_major(),
        "created_at": order.created_at,
        "paid_at": order.paid_at,
        "receipt": _absolute(reverse("payments-api:order_receipt", args=[order.number])) if order.is_paid else None,
        "url": _absolute(order.get_absolute_url()),
        "lines": [_describe_line(line) for line in lines],
    }


def _describe_line(line: OrderLine) -> dict[str, Any]:
    return {
        "id": line.pk,
        "domain": line.domain,
        "reference": line.reference,
        "title": line.title,
        "description": line.description,
        "teacher": line.teacher.slug if line.teacher else "",
        "quantity": line.quantity,
        "unit_amount": line.unit_amount.to_major(),
        "discount": line.discount.to_major(),
        "amount": line.amount.to_major(),
        "tax": line.tax.to_major(),
        "tax_bps": line.tax_bps,
        "tax_added": line.tax_added.to_major(),
        "seller": line.tax_debtor_name,
        "seller_tax_number": line.tax_debtor_number,
        "refunded": line.refunded.to_major(),
        "state": line.state,
        "url": _delivery_url(line),
        "gift": _describe_gift(line) if line.is_gift else None,
    }


def _describe_gift(line: OrderLine) -> dict[str, Any]:
    gift = line.gift
    return {
        "receiver": gift.receiver_name,
        "state": gift.state,
        "redeemed_at": gift.redeemed_at,
        "url": _absolute(gift.get_absolute_url()) if gift.given_at else None,
    }


def _delivery_url(line: OrderLine) -> str | None:
    if not line.is_delivered:
        return None
    if line.is_gift:
        return _absolute(line.gift.get_absolute_url())
    try:
        return _absolute(handler_for(line.domain).delivery_url(line.as_sold()))
    except UnknownDomain:
        return None


def _absolute(path: str) -> str:
    return f"{settings.BASE_URL}{path}"


def describe_offer(offer: Offer) -> dict[str, Any]:
    """What comes back, as `CancellationAnswer` takes it."""
    return {
        "places": [{"key": place.key, "label": place.label} for place in offer.places],
        "currency": offer.amount.currency,
        "amount": offer.amount.to_major(),
        "kept": offer.kept.to_major(),
        "until": offer.step.until if offer.step else None,
        "digest": offer.digest,
    }
