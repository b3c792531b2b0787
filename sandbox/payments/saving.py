"""Keeping a payment method for later, with its customer."""

from sandbox import store
from sandbox.payments.methods import card_behaviour
from sandbox.payments.refusals import decline_error
from sandbox.store import Body
from sandbox.webhooks.events import emit


def attach_to_customer(method: Body, customer_id: str) -> Body:
    """Keep a method for later. Raises the 402 of cards that decline at once; 0341 declines only when charged."""
    if method["type"] == "card":
        card = card_behaviour(method)
        if card.decline and card.challenge == "none" and not card.can_attach:
            raise decline_error(card.decline, {}, method)
    return mark_attached(method, customer_id)


def mark_attached(method: Body, customer_id: str) -> Body:
    """Write down whose a method is, once a payment or a setup with it went through."""
    if method["customer"] == customer_id:
        return method
    method["customer"] = customer_id
    store.save(method)
    emit("payment_method.attached", method)
    return method
