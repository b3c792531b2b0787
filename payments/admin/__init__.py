"""What staff see of orders, payments, refunds and Stripe's events. Money is moved by functions, never by editing."""

from payments.admin.events import WebhookEventAdmin
from payments.admin.orders import OrderAdmin, PaymentAdmin
from payments.admin.refunds import RefundAdmin
from payments.admin.stripe_records import show_only

__all__ = ["OrderAdmin", "PaymentAdmin", "RefundAdmin", "WebhookEventAdmin"]

show_only()
