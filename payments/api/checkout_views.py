"""The endpoints that lead to a payment, and out of one that failed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.links import Link, from_answer
from api.problems import INVALID, NOT_FOUND, NOT_SIGNED_IN
from api.questions import read_body
from api.schema import answers
from integrations.endpoints import INSUFFICIENT_SCOPE, Endpoint, caller
from integrations.idempotency import KEY_PROBLEMS, Claim, once_over_transactions
from integrations.schema import key_parameter
from integrations.scopes import Scope
from payments import cart as carts
from payments import sessions
from payments.api.cart_serializers import item_from
from payments.api.checkout_serializers import (
    CheckoutAnswer,
    CheckoutSent,
    FailureAnswer,
    FailureSent,
)
from payments.api.problems import OF_CHECKOUT, as_problems
from payments.api.serializers import PaymentState
from payments.checkout import CartChanged, start_checkout
from payments.models import Cart, Payment
from payments.outcomes import request_look
from payments.pricing import price_cart
from payments.return_addresses import ReturnAddresses, own_addresses

_RESPONSES = answers(CheckoutAnswer, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, *OF_CHECKOUT, *KEY_PROBLEMS)


class CreateCheckoutSession(Endpoint):
    """Opens a page at Stripe for the cart."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.PURCHASES_WRITE}
    links = {
        "POST": [
            Link("verify_status", from_answer(session_id="sessionId")),
            Link("handle_failure", body=from_answer(session_id="sessionId")),
            Link("order", from_answer(number="order")),
            Link("order_cancel", from_answer(number="order")),
        ]
    }
    claim: Claim

    @extend_schema(
        operation_id="create_checkout_session",
        parameters=[key_parameter(required=False)],
        request=CheckoutSent,
        responses=_RESPONSES,
    )
    @once_over_transactions(is_key_required=False)
    def post(self, request: Request) -> Response:
        """Order what the cart holds, and open the page on which it is paid. A repeated call answers the same page."""
        sent = read_body(CheckoutSent, request)
        with as_problems():
            payment = continue_interrupted(self.claim) or _begin(caller(request), sent, self.claim)
        return Response(CheckoutAnswer(describe_payment(payment)).data)


def continue_interrupted(claim: Claim) -> Payment | None:
    """The payment that an earlier run of this request wrote; None if there was none, or its page is closed.

    A card whose charge was stopped meanwhile is not charged again: raises CartChanged.
    """
    if not claim.subject:
        return None
    payment_id = int(claim.subject)
    try:
        return sessions.open_session(payment_id)
    except sessions.AlreadyPaid:
        return Payment.objects.select_related("order").get(pk=payment_id)
    except (sessions.PaymentOver, sessions.NeverOpened) as over:
        if Payment.objects.get(pk=payment_id).charges_card:
            raise CartChanged("The payment was stopped.") from over
        return None


def _begin(user: User, wanted: dict[str, Any], claim: Claim) -> Payment:
    if "items" in wanted:
        fill_cart(user, wanted["items"])
    cart = Cart.objects.filter(user_id=user.pk).first()
    ours = own_addresses()
    return start_checkout(
        user=user,
        cart=cart,
        agreed_digest=wanted.get("agreed") or (price_cart(cart).digest if cart else ""),
        way=ReturnAddresses(
            success=wanted.get("success_url", ours.success), cancel=wanted.get("cancel_url", ours.cancel)
        ),
        record=lambda payment_id: claim.record(str(payment_id)),
    )


@transaction.atomic
def fill_cart(user: User, items: list[dict[str, Any]]) -> None:
    """Let the cart hold exactly these items. The same items again change nothing, so an open page stays open."""
    cart = carts.lock_cart_of(user.pk)
    wanted = [item_from(item) for item in items]
    for line in cart.lines.all():
        if line.item.key not in {item.key for item in wanted}:
            carts.remove_line(cart=cart, line_id=line.pk)
    for item in wanted:
        carts.add_to_cart(item, buyer_id=user.pk, cart=None, currency=settings.DEFAULT_CURRENCY)


def describe_payment(payment: Payment) -> dict[str, Any]:
    return {
        "sessionId": payment.stripe_session_id,
        "paymentIntentId": payment.stripe_payment_intent_id if payment.charges_card else None,
        "url": payment.session_url or f"{settings.BASE_URL}{payment.order.get_absolute_url()}",
        "status": state_of(payment),
        "order": payment.order.number,
        "currency": payment.currency,
        "amount": payment.amount.to_major(),
        "expires_at": payment.expires_at,
    }


def state_of(payment: Payment) -> PaymentState:
    return PaymentState.OPEN if payment.ended_at is None else PaymentState(payment.status)


class HandleFailure(Endpoint):
    """Explains a payment that did not succeed. Changes nothing, so it needs no key."""

    permission_classes = (IsAuthenticated,)
    scopes = {"POST": Scope.PURCHASES_READ}

    @extend_schema(
        operation_id="handle_failure",
        request=FailureSent,
        responses=answers(FailureAnswer, INVALID, NOT_SIGNED_IN, INSUFFICIENT_SCOPE, NOT_FOUND),
    )
    def post(self, request: Request) -> Response:
        """Say what went wrong with a payment of your own, and what the student can do next."""
        sent = read_body(FailureSent, request)
        payment = sessions.payment_of_session(sent["session_id"], user_id=request.user.pk)
        if payment is None:
            raise Http404
        request_look(payment)
        state = state_of(payment)
        message, action, url = _explain(payment, state)
        answer = {
            "sessionId": payment.stripe_session_id or payment.stripe_payment_intent_id,
            "status": state,
            "message": message,
            "next": {"action": action, "url": url},
        }
        return Response(FailureAnswer(answer).data)


def _explain(payment: Payment, state: PaymentState) -> tuple[str, str, str | None]:
    """What went wrong, what to do, and where."""
    cart = f"{settings.BASE_URL}{reverse('payments:cart')}"
    match state:
        case PaymentState.OPEN if not payment.session_url:
            return "The payment provider has not answered yet.", "wait", None
        case PaymentState.OPEN:
            problem = payment.failure_message or "The payment was not completed."
            return problem, "pay_again", payment.session_url
        case PaymentState.PROCESSING:
            return "The bank has not answered yet.", "wait", None
        case PaymentState.SUCCEEDED:
            return "Nothing went wrong: the order is paid.", "none", None
        case PaymentState.FAILED:
            return payment.failure_message or "The bank refused the payment.", "check_out_again", cart
        case _:
            return "The payment page was closed before it was paid.", "check_out_again", cart
