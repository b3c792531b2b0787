"""What callers send to have something paid, and how it is answered."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from payments.api.cart_serializers import ItemSent
from payments.api.serializers import PaymentState
from payments.cart import LINES_AT_MOST
from payments.return_addresses import AddressNotAllowed, allowed_address

_LONGEST_ADDRESS = 2000


class ReturnAddressField(serializers.CharField):
    """A page that Stripe may send the student to."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=_LONGEST_ADDRESS, required=False, **options)

    def to_internal_value(self, data: Any) -> str:
        try:
            return allowed_address(super().to_internal_value(data))
        except AddressNotAllowed as refusal:
            raise serializers.ValidationError(str(refusal)) from refusal


class CheckoutSent(serializers.Serializer[Any]):
    """What is to be paid: nothing for the cart as it is, or the items that the cart shall hold instead."""

    items = ItemSent(
        many=True,
        required=False,
        allow_empty=False,
        max_length=LINES_AT_MOST,  # type: ignore[call-arg]  # of the list
        help_text="The cart then holds exactly these.",
    )
    agreed = serializers.RegexField(
        r"^[0-9a-f]{64}\Z", required=False, help_text="`digest` of the cart. If it has changed since, nothing is begun."
    )
    success_url = ReturnAddressField(
        help_text="Where the student goes after paying; `{CHECKOUT_SESSION_ID}` in it is replaced."
    )
    cancel_url = ReturnAddressField(help_text="Where the student goes who turns back.")


class CheckoutAnswer(serializers.Serializer[Any]):
    """A page at Stripe on which the student pays, or the charge of a saved card."""

    sessionId = serializers.CharField(  # noqa: N815  # as Stripe.js
        allow_null=True, help_text="Stripe's id of the Checkout Session; null if the order needs no page."
    )
    paymentIntentId = serializers.CharField(  # noqa: N815  # as Stripe.js
        allow_null=True, help_text="Stripe's id of the charge of a saved card; null for a page."
    )
    url = serializers.URLField(
        help_text="Send the student there: to the page, to their bank if it asks them, or to the order."
    )
    status = serializers.ChoiceField(choices=PaymentState.choices)
    order = serializers.CharField(help_text="The number of the order.")
    currency = serializers.CharField(help_text="ISO 4217 code.")
    amount = serializers.CharField()
    expires_at = serializers.DateTimeField(help_text="Until when the page can be paid.")


class FailureSent(serializers.Serializer[Any]):
    """Whose failure is asked about."""

    session_id = serializers.CharField(max_length=100)


class NextAction(serializers.Serializer[Any]):
    """What the student can do."""

    action = serializers.ChoiceField(choices=["pay_again", "check_out_again", "wait", "none"])
    url = serializers.URLField(allow_null=True)


class FailureAnswer(serializers.Serializer[Any]):
    """What went wrong with a payment, and what to do next."""

    sessionId = serializers.CharField()  # noqa: N815  # as Stripe.js
    status = serializers.ChoiceField(choices=PaymentState.choices)
    message = serializers.CharField(help_text="What went wrong, for the student.")
    next = NextAction()


class ChargeSent(serializers.Serializer[Any]):
    """What is to be paid with which saved card: the cart as it is, or the items that it shall hold instead."""

    payment_method = serializers.RegexField(
        r"^[\w-]+\Z", max_length=100, help_text="`id` of one of your saved payment methods."
    )
    items = ItemSent(
        many=True,
        required=False,
        allow_empty=False,
        max_length=LINES_AT_MOST,  # type: ignore[call-arg]  # of the list
        help_text="The cart then holds exactly these.",
    )
    agreed = serializers.RegexField(
        r"^[0-9a-f]{64}\Z",
        required=False,
        help_text="`digest` of the cart. If it has changed since, nothing is charged.",
    )
    return_url = ReturnAddressField(help_text="Where the student's bank leads after it has asked them.")


class PaymentMethodAnswer(serializers.Serializer[Any]):
    """A saved card or account."""

    id = serializers.CharField()
    kind = serializers.CharField(help_text="Stripe's type, such as `card` or `sepa_debit`.")
    label = serializers.CharField()  # type: ignore[assignment]  # of the class, not of its instances
    brand = serializers.CharField()
    last_four = serializers.CharField(allow_blank=True)
    expires = serializers.CharField(allow_null=True, help_text="The last month in which it works: `2031-08`.")
    has_expired = serializers.BooleanField()
    expires_soon = serializers.BooleanField()
    is_default = serializers.BooleanField()
    can_pay_at_once = serializers.BooleanField(help_text="Whether `process-payment` takes it.")


class PaymentMethodsAnswer(serializers.Serializer[Any]):
    """The caller's saved cards and accounts."""

    payment_methods = PaymentMethodAnswer(many=True)
