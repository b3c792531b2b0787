"""Carts, orders, payments, Stripe's events and refunds."""

from payments.models.cart import Cart, CartLine
from payments.models.event import EventAttempt, EventSearch, FetchedEvent, WebhookEvent
from payments.models.mirror import MirrorSync
from payments.models.order import Order, OrderLine
from payments.models.payment import ChargeLookup, Payment
from payments.models.refund import Refund, RefundAllocation

__all__ = [
    "Cart",
    "CartLine",
    "ChargeLookup",
    "EventAttempt",
    "EventSearch",
    "FetchedEvent",
    "MirrorSync",
    "Order",
    "OrderLine",
    "Payment",
    "Refund",
    "RefundAllocation",
    "WebhookEvent",
]
