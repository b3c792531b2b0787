"""Carts, orders, payments, earnings, Stripe's events, refunds and disputes."""

from payments.models.cart import Cart, CartLine
from payments.models.dispute import Dispute, DisputeAllocation, DisputeMovement
from payments.models.dispute_answer import DisputeAnswer, EvidenceDraft, EvidenceFile
from payments.models.earning import Earning
from payments.models.event import EventAttempt, EventSearch, FetchedEvent, WebhookEvent
from payments.models.fraud_warning import FraudWarning
from payments.models.mirror import MirrorSync
from payments.models.order import Order, OrderLine
from payments.models.payment import ChargeLookup, Payment
from payments.models.reconciliation import Difference, ReconciliationRun, ReconciliationTotal, StripeMovement
from payments.models.refund import Refund, RefundAllocation
from payments.models.refund_change import RefundChange
from payments.models.sale_cancellation import LineCancellation, SaleCancellation

__all__ = [
    "Cart",
    "CartLine",
    "ChargeLookup",
    "Difference",
    "Dispute",
    "DisputeAllocation",
    "DisputeAnswer",
    "DisputeMovement",
    "Earning",
    "EventAttempt",
    "EventSearch",
    "EvidenceDraft",
    "EvidenceFile",
    "FetchedEvent",
    "FraudWarning",
    "LineCancellation",
    "MirrorSync",
    "Order",
    "OrderLine",
    "Payment",
    "ReconciliationRun",
    "ReconciliationTotal",
    "Refund",
    "RefundAllocation",
    "RefundChange",
    "SaleCancellation",
    "StripeMovement",
    "WebhookEvent",
]
