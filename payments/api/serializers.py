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


class BalanceOfCurrency(serializers.Serializer[Any]):
    """A teacher's money in one currency. Earned = pending + available + held + in payout + withdrawn."""

    currency = serializers.CharField(help_text="ISO 4217 code.")
    total_earned = serializers.CharField(help_text="After the platform's fee, less what was refunded.")
    available_balance = serializers.CharField(
        help_text="Can be paid out; negative while the teacher owes the platform."
    )
    pending_balance = serializers.CharField(help_text="Earned, but not available yet.")
    held = serializers.CharField(help_text="Kept back for refunds under way and disputes.")
    in_payout = serializers.CharField(help_text="Requested or on its way.")
    withdrawn = serializers.CharField(help_text="Paid out.")


class BalanceQuestion(serializers.Serializer[Any]):
    """Which currency the figures at the top are in."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the currency, which defaults to the platform's."""
        return super().get_fields() | {"currency": serializers.ChoiceField(settings.CURRENCIES, required=False)}


class BalanceAnswer(BalanceOfCurrency):
    """The balance in the currency asked for, and all balances; none before the first sale."""

    balances = BalanceOfCurrency(many=True)


class HistoryQuestion(serializers.Serializer[Any]):
    """Whose view, and which page."""

    ROLES = ("student", "teacher")

    role = serializers.ChoiceField(
        ROLES, required=False, help_text="A teacher may also ask for what they bought themselves, as a student."
    )
    cursor = serializers.CharField(required=False, default="", allow_blank=True, max_length=300)
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=100)


class HistoryEntry(serializers.Serializer[Any]):
    """One change of the caller's money. The amount is negative if it is money the caller paid or gave back."""

    type = serializers.CharField(
        help_text="`payment` or `refund` for students; `sale`, `refund`, `payout_paid` and the like for teachers."
    )
    at = serializers.DateTimeField()
    currency = serializers.CharField(help_text="ISO 4217 code.")
    amount = serializers.CharField()
    status = serializers.CharField(help_text="Of the payment or refund; `booked` for teachers' movements.")
    order = serializers.CharField(allow_null=True)
    description = serializers.CharField(allow_blank=True)
    url = serializers.URLField(allow_null=True, help_text="The student's page of the order.")


class HistoryAnswer(serializers.Serializer[Any]):
    """A page of the history, newest first."""

    role = serializers.ChoiceField(HistoryQuestion.ROLES)
    next = serializers.URLField(allow_null=True, help_text="The next page; null after the last one.")
    results = HistoryEntry(many=True)
