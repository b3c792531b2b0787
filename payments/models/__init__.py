"""Carts, orders, payments, earnings, Stripe's events, refunds, disputes and payouts."""

from payments.models.cart import Cart, CartLine
from payments.models.connected_account import BankPayout, ConnectedAccount
from payments.models.customer import Customer
from payments.models.discount import CartDiscount, DiscountAmount, DiscountCode, Redemption
from payments.models.discount_step import DiscountStep
from payments.models.dispute import Dispute, DisputeAllocation, DisputeMovement, DisputeStep
from payments.models.dispute_answer import DisputeAnswer, EvidenceDraft, EvidenceFile
from payments.models.document import Document
from payments.models.earning import Earning
from payments.models.event import EventAttempt, EventSearch, FetchedEvent, WebhookEvent
from payments.models.fraud_warning import FraudWarning
from payments.models.gift import Gift
from payments.models.mirror import MirrorSync
from payments.models.order import Order, OrderLine
from payments.models.payment import ChargeLookup, Payment
from payments.models.payment_method import PaymentMethod
from payments.models.payout import Payout, PayoutSchedule, PayoutStep
from payments.models.payout_transfer import PayoutReversal, PayoutTransfer
from payments.models.reconciliation import Difference, ReconciliationRun, ReconciliationTotal, StripeMovement
from payments.models.refund import Refund, RefundAllocation
from payments.models.refund_after_dispute import RefundAfterDispute
from payments.models.refund_change import RefundChange
from payments.models.sale_cancellation import LineCancellation, SaleCancellation

__all__ = [
    "BankPayout",
    "Cart",
    "CartDiscount",
    "CartLine",
    "ChargeLookup",
    "ConnectedAccount",
    "Customer",
    "Difference",
    "DiscountAmount",
    "DiscountCode",
    "DiscountStep",
    "Dispute",
    "DisputeAllocation",
    "DisputeAnswer",
    "DisputeMovement",
    "DisputeStep",
    "Document",
    "Earning",
    "EventAttempt",
    "EventSearch",
    "EvidenceDraft",
    "EvidenceFile",
    "FetchedEvent",
    "FraudWarning",
    "Gift",
    "LineCancellation",
    "MirrorSync",
    "Order",
    "OrderLine",
    "Payment",
    "PaymentMethod",
    "Payout",
    "PayoutReversal",
    "PayoutSchedule",
    "PayoutStep",
    "PayoutTransfer",
    "ReconciliationRun",
    "ReconciliationTotal",
    "Redemption",
    "Refund",
    "RefundAfterDispute",
    "RefundAllocation",
    "RefundChange",
    "SaleCancellation",
    "StripeMovement",
    "WebhookEvent",
]
