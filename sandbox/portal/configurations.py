"""Portal configurations: the features a portal offers (docs: "Configure the customer portal")."""

import copy
from typing import Any

from sandbox import clock, identifiers, store
from sandbox.options import options
from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.store import Body
from sandbox.webhooks.events import emit

KIND = "billing_portal.configuration"
OFF: Body = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "feedback_options": None, "options": []},
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "products": [],
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}
# The features of a new account's default configuration.
DEFAULT: Body = {
    "customer_update": {"allowed_updates": ["email", "address", "name", "phone"], "enabled": True},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True},
}


def create_configuration(*, features: Body, is_default: bool = False, **fields: Any) -> Body:
    """Create a configuration; emits billing_portal.configuration.created. Raises a 400 for incomplete features."""
    now = clock.now()
    configuration_id = identifiers.new_id("bpc_1", 23)
    profile = {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None}
    login_page = fields.pop("login_page", {"enabled": False})
    configuration: Body = {
        "id": configuration_id,
        "object": KIND,
        "active": True,
        "application": None,
        "created": now,
        "default_return_url": None,
        "is_default": is_default,
        "livemode": False,
        "metadata": {},
        "name": None,
        "updated": now,
        **fields,
        "business_profile": profile | fields.get("business_profile", {}),
        "features": merged_features(copy.deepcopy(OFF), features),
        "login_page": _login_page(configuration_id, is_enabled=login_page["enabled"]),
    }
    store.insert(configuration)
    emit("billing_portal.configuration.created", configuration)
    return configuration


def _login_page(configuration_id: str, *, is_enabled: bool) -> Body:
    address = f"{options().public_url}/p/login/{configuration_id}"
    return {"enabled": is_enabled, "url": address if is_enabled else None}


def update_configuration(configuration: Body, change: Body) -> Body:
    """Update a configuration; emits billing_portal.configuration.updated if a value changed."""
    if "features" in change:
        features = merged_features(copy.deepcopy(configuration["features"]), change["features"])
        change = change | {"features": features}
    if "business_profile" in change:
        change = change | {"business_profile": configuration["business_profile"] | change["business_profile"]}
    if "login_page" in change:
        page = _login_page(configuration["id"], is_enabled=change["login_page"]["enabled"])
        change = change | {"login_page": page}
    if configuration["is_default"] and change.get("active") is False:
        raise ApiError("You cannot deactivate the default configuration.", param="active", is_executed=True)
    previous = {name: configuration[name] for name, value in change.items() if configuration[name] != value}
    if previous:
        previous["updated"] = configuration["updated"]
        configuration |= change | {"updated": clock.now()}
        store.save(configuration)
        emit("billing_portal.configuration.updated", configuration, previous=previous)
    return configuration


def merged_features(features: Body, change: Body) -> Body:
    """Features with a call's changes: hashes are merged, lists replaced. Raises a 400 for incomplete features."""
    for name, given in change.items():
        feature = features[name]
        for key, value in (given or {}).items():
            is_hash = isinstance(value, dict) and isinstance(feature.get(key), dict)
            feature[key] = feature[key] | value if is_hash else ([] if value is None else value)
    update = features["subscription_update"]
    update["products"] = [_product(product, index) for index, product in enumerate(update["products"])]
    if update["enabled"]:
        for key in ("default_allowed_updates", "products"):
            if not update[key]:
                raise missing_parameter(f"features[subscription_update][{key}]")
    if features["customer_update"]["enabled"] and not features["customer_update"]["allowed_updates"]:
        raise missing_parameter("features[customer_update][allowed_updates]")
    return features


def _product(given: Body, index: int) -> Body:
    path = f"features[subscription_update][products][{index}]"
    fetch_from_parameter("product", given["product"], param=f"{path}[product]")
    for place, price in enumerate(given["prices"]):
        found = fetch_from_parameter("price", price, param=f"{path}[prices][{place}]")
        if found["product"] != given["product"]:
            raise ApiError(
                f"The price {price} does not belong to the product {given['product']}.",
                param=f"{path}[prices][{place}]",
            )
    nothing = {"enabled": False, "maximum": None, "minimum": 1}
    return given | {"adjustable_quantity": nothing | given.get("adjustable_quantity", {})}


def default_configuration() -> Body:
    """The configuration for calls that name none, created when it is first needed."""
    found = store.rows(KIND).filter(body__is_default=True).values_list("body", flat=True).first()
    return dict(found) if found else create_configuration(features=DEFAULT, is_default=True)
