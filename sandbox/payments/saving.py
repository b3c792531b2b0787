"""Attach payment methods to customers for later use."""

from sandbox import store
from sandbox.payments.methods import card_behaviour
from sandbox.payments.refusals import decline_error
from sandbox.store import Body
from sandbox.webhooks.events import emit


def attach_to_customer(method: Body, customer_id: str) -> Body:
    """Attach a method to a customer. Raises the 402 of a card that is declined; 0341 is declined only when charged."""
    if method["type"] == "card":
        card = card_behaviour(method)
        if card.decline and card.challenge == "none" and not card.can_attach:
            raise decline_error(card.decline, {}, method)
    return mark_attached(method, customer_id)


def mark_attached(method: Body, customer_id: str) -> Body:
    """Attach a method after a successful payment or setup, without trying the card; emits payment_method.attached."""
    if method["customer"] == customer_id:
        return method
    method["customer"] = customer_id
    store.save(method)
    emit("payment_method.attached", method)
    return method
