"""The admin of orders, payments, earnings, refunds, disputes, payouts and Stripe's events. No amount can be edited."""

from payments.admin.connected_accounts import BankPayoutAdmin, ConnectedAccountAdmin
from payments.admin.customers import CustomerAdmin
from payments.admin.discounts import DiscountCodeAdmin, RedemptionAdmin
from payments.admin.disputes import DisputeAdmin, DisputeAnswerAdmin
from payments.admin.documents import DocumentAdmin
from payments.admin.earnings import EarningAdmin
from payments.admin.events import WebhookEventAdmin
from payments.admin.fraud_warnings import FraudWarningAdmin
from payments.admin.gifts import GiftAdmin
from payments.admin.orders import OrderAdmin, PaymentAdmin
from payments.admin.payouts import PayoutAdmin, PayoutReversalAdmin, PayoutTransferAdmin
from payments.admin.reconciliation import DifferenceAdmin, ReconciliationRunAdmin
from payments.admin.refunds import RefundAdmin
from payments.admin.sale_cancellations import LineCancellationAdmin, SaleCancellationAdmin
from payments.admin.statement import StripeMovementAdmin
from payments.admin.stripe_records import show_only
from payments.admin.switches import SwitchAdmin

__all__ = [
    "BankPayoutAdmin",
    "ConnectedAccountAdmin",
    "CustomerAdmin",
    "DifferenceAdmin",
    "DiscountCodeAdmin",
    "DisputeAdmin",
    "DisputeAnswerAdmin",
    "DocumentAdmin",
    "EarningAdmin",
    "FraudWarningAdmin",
    "GiftAdmin",
    "LineCancellationAdmin",
    "OrderAdmin",
    "PaymentAdmin",
    "PayoutAdmin",
    "PayoutReversalAdmin",
    "PayoutTransferAdmin",
    "ReconciliationRunAdmin",
    "RedemptionAdmin",
    "RefundAdmin",
    "SaleCancellationAdmin",
    "StripeMovementAdmin",
    "SwitchAdmin",
    "WebhookEventAdmin",
]

show_only()
