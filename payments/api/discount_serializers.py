"""What callers ask about a discount code and are answered. Amounts are decimal texts in major units."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from payments.cart import LINES_AT_MOST
from payments.contracts import Item
from payments.registry import registered_domains


class ItemToDiscount(serializers.Serializer[Any]):
    """An item as the cart takes it."""

    domain = serializers.CharField(max_length=30)
    reference = serializers.CharField(max_length=64)
    quantity = serializers.IntegerField(min_value=1, max_value=100, default=1)

    def validate_domain(self, domain: str) -> str:
        """Refuse what is sold nowhere here."""
        if domain not in registered_domains():
            raise serializers.ValidationError("Nothing of this kind is sold here.")
        return domain

    def validate(self, attrs: dict[str, Any]) -> Item:
        """The item."""
        return Item(domain=attrs["domain"], reference=attrs["reference"], quantity=attrs["quantity"])


class DiscountQuestion(serializers.Serializer[Any]):
    """A code to try, on the caller's cart or on items."""

    code = serializers.CharField(max_length=200)
    items = ItemToDiscount(many=True, required=False, default=list, help_text="Instead of the cart.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the currency of the items, which defaults to the platform's. A cart has its own."""
        return super().get_fields() | {"currency": serializers.ChoiceField(settings.CURRENCIES, required=False)}

    def validate_items(self, items: list[Item]) -> list[Item]:
        """Refuse more than a cart holds."""
        if len(items) > LINES_AT_MOST:
            raise serializers.ValidationError(f"At most {LINES_AT_MOST} items.")
        return items


class DiscountedLine(serializers.Serializer[Any]):
    """A line that can be bought, with the discount of all codes."""

    domain = serializers.CharField()
    reference = serializers.CharField()
    amount = serializers.CharField(help_text="At list price, all units.")
    discount = serializers.CharField()
    total = serializers.CharField()


class DiscountAnswer(serializers.Serializer[Any]):
    """What the code takes off."""

    valid = serializers.BooleanField(help_text="Always true: a code that takes nothing off is a problem.")
    code = serializers.CharField(help_text="As it is stored.")
    currency = serializers.CharField(help_text="ISO 4217 code.")
    discount = serializers.CharField(help_text="What this code takes off in all.")
    subtotal = serializers.CharField(help_text="At list prices.")
    total = serializers.CharField(help_text="After this code and those in the cart.")
    problem = serializers.CharField(
        allow_blank=True, help_text="Why this total cannot be paid, such as too little for a card; empty if it can."
    )
    lines = DiscountedLine(many=True)
