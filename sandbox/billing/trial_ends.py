"""How a trial ends without a payment method (docs: "Use trial periods", `trial_settings`)."""

from sandbox import store
from sandbox.billing.subscriptions import emitting_change, end, method_of, plan
from sandbox.store import Body


def ends_without_method(subscription: Body) -> bool:
    """End or pause a trial without a payment method, as its settings say; True if there is nothing to bill."""
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if behavior == "create_invoice" or method_of(subscription) is not None:
        return False
    if behavior == "cancel":
        end(subscription)
        return True
    with emitting_change(subscription, "customer.subscription.paused"):
        subscription["status"] = "paused"
        store.save(subscription)
    plan(subscription)
    return True
