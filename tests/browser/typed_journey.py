"""A program that buys a course with the client that is generated from the API's document.

mypy checks it against that client, so each name and type here is one of the document.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import TypeVar

from lectern_client import AuthenticatedClient
from lectern_client.api.cart import cart_line_add
from lectern_client.api.listings import listings
from lectern_client.api.order_lines import line_cancel, line_cancellation
from lectern_client.api.orders import order, order_receipt
from lectern_client.api.payments import create_checkout_session, verify_status
from lectern_client.models import (
    CancellationAnswer,
    CancellationSent,
    CancelledAnswer,
    CartAnswer,
    CheckoutAnswer,
    CheckoutSent,
    LineSent,
    ListingPage,
    OrderSummary,
    PaymentAnswer,
)
from lectern_client.types import File

Answer = TypeVar("Answer")


def expect(answer: object, kind: type[Answer]) -> Answer:
    """The answer, if it is one of success."""
    assert isinstance(answer, kind), answer
    return answer


def buy_a_course(client: AuthenticatedClient, pay: Callable[[str], None]) -> tuple[OrderSummary, bytes]:
    """From the catalogue to a paid order and its receipt. `pay` pays the session of the given id."""
    page = expect(listings.sync(client=client, kind="courses", currency="GBP", limit=1), ListingPage)
    wanted = LineSent(domain=page.results[0].domain, reference=page.results[0].reference, quantity=1)
    cart = expect(cart_line_add.sync(client=client, body=wanted, idempotency_key=new_key()), CartAnswer)
    key, sent = new_key(), CheckoutSent(agreed=cart.digest)
    checkout = expect(create_checkout_session.sync(client=client, body=sent, idempotency_key=key), CheckoutAnswer)
    again = expect(create_checkout_session.sync(client=client, body=sent, idempotency_key=key), CheckoutAnswer)
    assert again == checkout
    assert checkout.session_id is not None
    pay(checkout.session_id)
    payment = wait_until_decided(client, checkout.session_id)
    assert payment.status == "succeeded", payment
    bought = expect(order.sync(client=client, number=checkout.order), OrderSummary)
    receipt = expect(order_receipt.sync(client=client, number=checkout.order), File)
    return bought, receipt.payload.read()


def wait_until_decided(client: AuthenticatedClient, session_id: str) -> PaymentAnswer:
    """The payment, once its outcome is known."""
    for _ in range(60):
        payment = expect(verify_status.sync(client=client, session_id=session_id), PaymentAnswer)
        if payment.poll_after_seconds is None:
            return payment
        time.sleep(min(payment.poll_after_seconds, 2))
    raise AssertionError("The payment is never decided.")


def give_back(client: AuthenticatedClient, line_id: int) -> CancelledAnswer:
    """Cancel the line as the policy allows."""
    offer = expect(line_cancellation.sync(client=client, line_id=line_id), CancellationAnswer)
    accepted = CancellationSent(places=[place.key for place in offer.places], digest=offer.digest)
    answer = line_cancel.sync(client=client, line_id=line_id, body=accepted, idempotency_key=new_key())
    return expect(answer, CancelledAnswer)


def new_key() -> str:
    """A key of a request that was not made before."""
    return uuid.uuid4().hex
