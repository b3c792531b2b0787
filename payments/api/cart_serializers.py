"""What callers send about the cart, and how it is answered."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from rest_framework import serializers

from accounts.names import LONGEST_NAME
from payments.contracts import Item
from payments.gifts.contracts import GiftWish
from payments.gifts.wishes import LONGEST_MESSAGE, read_wish
from payments.pricing import PricedCart, PricedLine

_QUANTITY_AT_MOST = 100


class GiftSent(serializers.Serializer[Any]):
    """Who an item is given to. It is delivered to the account that redeems it."""

    receiver = serializers.CharField(max_length=LONGEST_NAME, help_text="The name of the person it is for.")
    email = serializers.CharField(
        max_length=254, default="", allow_blank=True, help_text="Where the gift is sent; left out if you pass it on."
    )
    message = serializers.CharField(max_length=LONGEST_MESSAGE, default="", allow_blank=True)
    send_on = serializers.DateField(default=None, allow_null=True, help_text="The day it is sent; at once if left out.")

    def validate(self, attrs: dict[str, Any]) -> GiftWish:
        """The wish, with its texts as they are stored."""
        try:
            return read_wish(**attrs)
        except ValidationError as problem:
            raise serializers.ValidationError(problem.message_dict) from problem


class ItemSent(serializers.Serializer[Any]):
    """Something to buy, as a listing of the catalogue names it."""

    domain = serializers.SlugField(max_length=30, help_text="`domain` of the listing.")
    reference = serializers.RegexField(r"^[\w-]+\Z", max_length=64, help_text="`reference` of the listing.")
    quantity = serializers.IntegerField(min_value=1, max_value=_QUANTITY_AT_MOST, default=1)
    details = serializers.DictField(
        default=dict, help_text="What its kind asks for, such as the participants of a workshop."
    )
    gift = GiftSent(required=False, help_text="Buys one unit as a gift.")


class LineSent(ItemSent):
    """An item, and the currency that an empty cart takes from it."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the currency, which defaults to the platform's."""
        return super().get_fields() | {"currency": serializers.ChoiceField(settings.CURRENCIES, required=False)}


class QuantitySent(serializers.Serializer[Any]):
    """How many are wanted."""

    quantity = serializers.IntegerField(min_value=1, max_value=_QUANTITY_AT_MOST)


class GiftAnswer(serializers.Serializer[Any]):
    """Who a line of the cart is given to."""

    receiver = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True)
    send_on = serializers.DateField(allow_null=True)


class CartLineAnswer(serializers.Serializer[Any]):
    """One line at its current price. With a `problem` it cannot be bought as it is."""

    id = serializers.IntegerField()
    domain = serializers.CharField()
    reference = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    quantity = serializers.IntegerField()
    details = serializers.DictField()
    gift = GiftAnswer(allow_null=True, help_text="Who it is given to; null for what the caller buys for themself.")
    unit_amount = serializers.CharField(allow_null=True)
    discount = serializers.CharField(allow_null=True)
    amount = serializers.CharField(allow_null=True, help_text="What is paid for the line, tax included.")
    tax = serializers.CharField(allow_null=True, help_text="Contained in the amount; null if Stripe computes it.")
    tax_bps = serializers.IntegerField(allow_null=True, help_text="The rate in basis points: 2000 is 20 %.")
    tax_added = serializers.CharField(
        allow_null=True, help_text="The part of the tax that `unit_amount` does not include."
    )
    problem = serializers.CharField(allow_blank=True)


class CartAnswer(serializers.Serializer[Any]):
    """The cart at its current prices."""

    currency = serializers.CharField(allow_blank=True, help_text="ISO 4217 code; empty while the cart is.")
    total = serializers.CharField(allow_null=True, help_text="What is paid, tax included.")
    tax = serializers.CharField(allow_null=True, help_text="Contained in the total; null if Stripe computes it.")
    discount = serializers.CharField(allow_null=True)
    problem = serializers.CharField(allow_blank=True, help_text="Why the total cannot be paid; empty if it can.")
    can_be_paid = serializers.BooleanField()
    digest = serializers.CharField(
        allow_blank=True, help_text="Send it as `agreed` to pay exactly this, or be told that it changed."
    )
    lines = CartLineAnswer(many=True)


def item_from(sent: dict[str, Any]) -> Item:
    """The item that the caller wants."""
    return Item(
        domain=sent["domain"],
        reference=sent["reference"],
        quantity=sent["quantity"],
        details=sent["details"],
        gift=sent.get("gift"),
    )


def describe_cart(priced: PricedCart | None) -> dict[str, Any]:
    """The cart as `CartAnswer` takes it; None for a person who never had one."""
    if priced is None:
        empty = dict.fromkeys(("total", "tax", "discount"))
        return {"currency": "", **empty, "problem": "", "can_be_paid": False, "digest": "", "lines": []}
    return {
        "currency": priced.currency,
        "total": _major(priced.total),
        "tax": _major(priced.tax),
        "discount": _major(priced.discount),
        "problem": priced.problem,
        "can_be_paid": priced.is_buyable,
        "digest": priced.digest if priced.lines else "",
        "lines": [_describe_line(line) for line in priced.lines],
    }


def _describe_line(priced: PricedLine) -> dict[str, Any]:
    is_known = not priced.taxation.is_by_stripe
    return {
        "id": priced.line.pk,
        "domain": priced.line.domain,
        "reference": priced.line.reference,
        "title": priced.title,
        "description": priced.quote.description if priced.quote else "",
        "quantity": priced.line.quantity,
        "details": priced.line.details,
        "gift": priced.line.item.gift,
        "unit_amount": _major(priced.unit_price),
        "discount": _major(priced.discount),
        "amount": _major(priced.amount),
        "tax": _major(priced.line_tax.tax) if is_known and priced.line_tax else None,
        "tax_bps": priced.taxation.bps if is_known else None,
        "tax_added": _major(priced.line_tax.added) if is_known and priced.line_tax else None,
        "problem": priced.problem,
    }


def _major(amount: Any) -> str | None:
    return None if amount is None else str(amount.to_major())
