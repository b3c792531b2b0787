"""The types of event that the webhook endpoint at Stripe must send. Each has a route in `routing` or registered there.

Stripe advises against listening for more than is needed (docs: "Webhooks", best practices): a purchase makes at least
five events, two of which are enough, and the others would be stored, acknowledged and processed just when students wait
for what they paid for. Free of Django, so that the demo can pass the list to its sandbox.
"""

from typing import Final

LISTENED_FOR: Final = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "radar.early_fraud_warning.created",
    "radar.early_fraud_warning.updated",
    "transfer.created",
    "transfer.updated",
    "transfer.reversed",
    # Of billing: the app that bills through Stripe registers their routes.
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.upcoming",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.updated",
    "payment_method.automatically_updated",
    "customer.updated",
    "customer.deleted",
)
# Of teachers' accounts. At Stripe these need an endpoint of their own, for events on connected accounts; it may have the
# same address.
LISTENED_FOR_ON_ACCOUNTS: Final = (
    "account.updated",
    "account.application.deauthorized",
    "payout.created",
    "payout.updated",
    "payout.paid",
    "payout.failed",
    "payout.canceled",
)
