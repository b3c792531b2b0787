"""Portal sessions (docs: "Integrate the customer portal")."""

from sandbox import clock, identifiers, store
from sandbox.billing.clocks import ENDED
from sandbox.options import options
from sandbox.protocol.errors import ApiError, missing_parameter, no_such
from sandbox.store import Body
from sandbox.webhooks.events import emit

KIND = "billing_portal.session"
# At Stripe a session expires an hour after it was last used; in the sandbox an hour after its creation.
LIFETIME_SECONDS = 3600
# The feature that each flow needs, and its name in messages.
FEATURE_OF = {
    "payment_method_update": ("payment_method_update", "payment method update"),
    "subscription_cancel": ("subscription_cancel", "subscription cancel"),
    "subscription_update": ("subscription_update", "subscription update"),
    "subscription_update_confirm": ("subscription_update", "subscription update"),
    "customer_update": ("customer_update", "customer update"),
}
FLOWS_OF_SUBSCRIPTIONS = ("subscription_cancel", "subscription_update", "subscription_update_confirm")


def open_portal(  # noqa: PLR0913 -- the fields of a session
    customer: Body,
    configuration: Body,
    *,
    return_url: str | None,
    flow: Body | None = None,
    locale: str | None = None,
    on_behalf_of: str | None = None,
) -> Body:
    """Create a session with the URL of its page; emits billing_portal.session.created."""
    token = f"test_{identifiers.token(40)}"
    session = store.insert(
        {
            "id": identifiers.new_id("bps_1", 23),
            "object": KIND,
            "configuration": configuration["id"],
            "created": clock.now(),
            "customer": customer["id"],
            "customer_account": None,
            "flow": _flow(customer, configuration, flow) if flow else None,
            "livemode": False,
            "locale": locale,
            "on_behalf_of": on_behalf_of,
            "return_url": return_url or configuration["default_return_url"],
            "url": f"{options().public_url}/p/session/{token}",
            "_token": token,
        }
    )
    emit("billing_portal.session.created", session)
    return session


def _flow(customer: Body, configuration: Body, given: Body) -> Body:
    """The session's `flow`. Raises a 400 if the configuration does not allow it."""
    kind = given["type"]
    feature, words = FEATURE_OF[kind]
    if not configuration["features"][feature]["enabled"]:
        what = "This subscription cannot be" if kind in FLOWS_OF_SUBSCRIPTIONS else "This flow cannot be"
        done = {"subscription_cancel": "canceled", "subscription_update": "updated"}.get(kind, "used")
        raise ApiError(
            f"{what} {done} because the {words} feature in the portal configuration is disabled.", is_executed=True
        )
    details: Body = given.get(kind) or {}
    if kind in FLOWS_OF_SUBSCRIPTIONS:
        if not details:
            raise missing_parameter(f"flow_data[{kind}]")
        _require_subscription(customer, details["subscription"], f"flow_data[{kind}][subscription]")
    after = given.get("after_completion") or {"type": "portal_homepage"}
    if after["type"] == "redirect" and "redirect" not in after:
        raise missing_parameter("flow_data[after_completion][redirect]")
    return {
        "after_completion": {
            "hosted_confirmation": _confirmation(after),
            "redirect": after.get("redirect"),
            "type": after["type"],
        },
        "subscription_cancel": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
        "type": kind,
    } | _details(kind, details)


def _details(kind: str, details: Body) -> Body:
    """The details of a flow under the flow's name; empty for flows without details."""
    if kind == "subscription_cancel":
        return {kind: {"retention": None} | details}
    if kind == "subscription_update":
        return {kind: dict(details)}
    if kind == "subscription_update_confirm":
        items = [{"quantity": None, "price": None} | item for item in details["items"]]
        return {kind: {"discounts": None, "items": items, "subscription": details["subscription"]}}
    return {}


def _confirmation(after: Body) -> Body | None:
    if after["type"] != "hosted_confirmation":
        return None
    message: str | None = after.get("hosted_confirmation", {}).get("custom_message")
    return {"custom_message": message}


def _require_subscription(customer: Body, subscription_id: str, param: str) -> None:
    subscription = store.find("subscription", subscription_id)
    if subscription is None or subscription["customer"] != customer["id"]:
        raise no_such("subscription", subscription_id, param=param)
    if subscription["status"] in ENDED:
        raise ApiError("This subscription has already been canceled.", param=param, is_executed=True)


def is_over(session: Body) -> bool:
    """Whether a session has expired."""
    return bool(session["created"] + LIFETIME_SECONDS < clock.now())


def current_subscriptions(customer_id: str) -> list[Body]:
    """The customer's current subscriptions, newest first."""
    rows = store.rows("subscription").filter(customer=customer_id).exclude(status__in=(*ENDED, "incomplete"))
    return list(rows.order_by("-sequence").values_list("body", flat=True))
