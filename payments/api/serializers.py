"""What callers send and what they are answered. Amounts are decimal texts in major units: JSON's numbers are not exact."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.db import models
from rest_framework import serializers

from money import Money
from money.amounts import InvalidAmount
from money.limits import CannotBeCharged, limits_of
from payments.models import Order

# Plain digits only: no sign, exponent or separator, and no digits of other scripts.
_AMOUNT = re.compile(r"^[0-9]{1,9}(\.[0-9]{1,3})?\Z")


class PaymentState(models.TextChoices):
    """What callers tell apart."""

    OPEN = "open", "The page at Stripe can be paid; a card may have been declined meanwhile."
    PROCESSING = "processing", "The student is done; their bank has not answered yet."
    SUCCEEDED = "succeeded", "Paid."
    FAILED = "failed", "Refused for good."
    EXPIRED = "expired", "The page was closed unpaid."


class CommissionQuestion(serializers.Serializer[Any]):
    """An amount to divide. Validated, it holds it as `money`."""

    amount = serializers.RegexField(
        _AMOUNT, error_messages={"invalid": "Give an amount such as 100 or 12.50, in digits with a point."}
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the currency, which defaults to the platform's."""
        return super().get_fields() | {"currency": serializers.ChoiceField(settings.CURRENCIES, required=False)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Read the amount in its currency."""
        currency = attrs.get("currency", settings.DEFAULT_CURRENCY)
        try:
            money = Money.from_major(attrs["amount"], currency)
            limits_of(currency).check_step(money)
        except InvalidAmount as error:
            raise serializers.ValidationError({"amount": f"{currency} has fewer decimals."}) from error
        except CannotBeCharged as error:
            raise serializers.ValidationError({"amount": str(error)}) from error
        return {"money": money}


class CommissionAnswer(serializers.Serializer[Any]):
    """How an amount is divided. `total` is fee and payout together, which is exactly the amount."""

    currency = serializers.CharField(help_text="ISO 4217 code.")
    amount = serializers.CharField()
    platform_fee = serializers.CharField()
    teacher_payout = serializers.CharField()
    total = serializers.CharField()
    commission_rate = serializers.CharField(help_text="The platform's part, from 0.0000 to 1.0000.")


class OrderAnswer(serializers.Serializer[Any]):
    """The order that a payment is for."""

    number = serializers.CharField()
    state = serializers.ChoiceField(choices=Order.State.choices)
    url = serializers.URLField(help_text="The student's page of the order.")


class PaymentAnswer(serializers.Serializer[Any]):
    """How a payment stands."""

    sessionId = serializers.CharField(help_text="Stripe's id of the Checkout Session.")  # noqa: N815  # as Stripe.js
    status = serializers.ChoiceField(choices=PaymentState.choices)
    currency = serializers.CharField(help_text="ISO 4217 code.")
    amount = serializers.CharField()
    message = serializers.CharField(
        help_text="Why the last try failed, for the student; may be empty.", allow_blank=True
    )
    order = OrderAnswer()
    poll_after_seconds = serializers.IntegerField(
        allow_null=True, help_text="When asking again may bring news; null once the payment is decided."
    )
