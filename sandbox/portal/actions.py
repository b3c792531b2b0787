"""The customer's actions in the portal, as far as its configuration allows."""

from sandbox import store
from sandbox.billing import subscribing
from sandbox.billing.subscription_ending import cancel
from sandbox.billing.subscription_shapes import items_of
from sandbox.billing.subscriptions import emitting_change
from sandbox.payments.customers import update_customer
from sandbox.payments.detaching import detach_method
from sandbox.payments.followers import call_followers, follows_intents
from sandbox.payments.setups import confirm_setup_intent, create_setup_intent
from sandbox.portal.sessions import current_subscriptions
from sandbox.protocol.errors import ApiError
from sandbox.store import Body

# The customer's field for each value of `allowed_updates`.
CHANGEABLE = {"email": "email", "name": "name", "phone": "phone", "address": "address"}


class NotAllowed(Exception):
    """The configuration does not let customers do this."""


def require(configuration: Body, feature: str) -> Body:
    """The settings of a feature. Raises NotAllowed if it is disabled."""
    settings: Body = configuration["features"][feature]
    if not settings["enabled"]:
        raise NotAllowed(feature)
    return settings


def subscription_of(session: Body, subscription_id: str) -> Body:
    """A current subscription of the session's customer. Raises NotAllowed for any other."""
    for subscription in current_subscriptions(session["customer"]):
        if subscription["id"] == subscription_id:
            return subscription
    raise NotAllowed(subscription_id)


def end_subscription(configuration: Body, subscription: Body, *, feedback: str, comment: str) -> None:
    """Cancel a subscription immediately or at the end of the period, as the configuration says."""
    settings = require(configuration, "subscription_cancel")
    details: Body = {}
    if feedback in settings["cancellation_reason"]["options"]:
        details["feedback"] = feedback
    if comment:
        details["comment"] = comment[:500]
    if settings["mode"] == "immediately":
        cancel(
            subscription,
            details=details,
            prorates=settings["proration_behavior"] != "none",
            invoices_now=settings["proration_behavior"] == "always_invoice",
        )
    else:
        subscribing.cancel_at_period_end(subscription, details)


def allowed_prices(configuration: Body, subscription: Body) -> list[Body]:
    """The prices that a subscription may change to: active, in its currency, and different from its own."""
    settings = configuration["features"]["subscription_update"]
    if not settings["enabled"] or "price" not in settings["default_allowed_updates"]:
        return []
    own = items_of(subscription)[0]["price"]["id"]
    named = [price for product in settings["products"] for price in product["prices"] if price != own]
    found = [store.find("price", price) for price in named]
    return [price for price in found if price and price.get("active") and price["currency"] == subscription["currency"]]


def change_plan(configuration: Body, subscription: Body, price_id: str) -> None:
    """Change a subscription's price. Raises NotAllowed for a price that is not offered."""
    for price in allowed_prices(configuration, subscription):
        if price["id"] == price_id:
            behavior = configuration["features"]["subscription_update"]["proration_behavior"]
            subscribing.change_price(subscription, price, proration_behavior=behavior)
            return
    raise NotAllowed(price_id)


def add_method(configuration: Body, session: Body, method: Body, *, return_url: str) -> Body:
    """Set up a method and make it the default; returns the setup intent. Raises ApiError if the setup is declined.

    With 3-D Secure, the intent requires action first, and `keep_as_default` sets the default later.
    """
    require(configuration, "payment_method_update")
    intent = create_setup_intent(
        customer=session["customer"], payment_method_types=[method["type"]], _portal=session["id"]
    )
    attempt = confirm_setup_intent(intent, method, return_url=return_url)
    call_followers(attempt.intent)
    if attempt.error:
        raise attempt.error
    return attempt.intent


@follows_intents
def keep_as_default(intent: Body) -> None:
    """Make a method the default after its setup in the portal has succeeded."""
    if intent["object"] == "setup_intent" and intent.get("_portal") and intent["status"] == "succeeded":
        make_default(store.fetch("customer", intent["customer"]), intent["payment_method"])


def make_default(customer: Body, method_id: str) -> None:
    """Make a method the default of the customer and of the customer's current subscriptions."""
    settings = customer["invoice_settings"] | {"default_payment_method": method_id}
    update_customer(customer, {"invoice_settings": settings})
    for subscription in current_subscriptions(customer["id"]):
        if subscription["default_payment_method"] not in (None, method_id):
            with emitting_change(subscription):
                subscription["default_payment_method"] = method_id
                store.save(subscription)


def own_method(session: Body, method_id: str) -> Body:
    """A method of the session's customer. Raises NotAllowed for any other."""
    method = store.find("payment_method", method_id)
    if method is None or method["customer"] != session["customer"]:
        raise NotAllowed(method_id)
    return method


def remove_method(configuration: Body, session: Body, method_id: str) -> None:
    """Detach a method. Raises ApiError if subscriptions are paid with it."""
    require(configuration, "payment_method_update")
    method = own_method(session, method_id)
    customer = store.fetch("customer", session["customer"])
    subscriptions = current_subscriptions(session["customer"])
    in_use = {subscription["default_payment_method"] for subscription in subscriptions}
    if subscriptions:
        in_use.add(customer["invoice_settings"]["default_payment_method"])
    if method_id in in_use:
        raise ApiError("This payment method pays a subscription. Choose another default first.")
    detach_method(method)


def change_details(configuration: Body, session: Body, change: Body) -> None:
    """Update the customer's details that the configuration allows; other changes are ignored."""
    allowed = require(configuration, "customer_update")["allowed_updates"]
    fields = {CHANGEABLE[name] for name in allowed if name in CHANGEABLE}
    customer = store.fetch("customer", session["customer"])
    update_customer(customer, {name: value for name, value in change.items() if name in fields})
