"""Configurations of the billing portal (docs: "The Portal Configuration object")."""

from sandbox import store
from sandbox.portal.configurations import KIND, create_configuration, update_configuration
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.payment_methods import PAGED
from sandbox.store import Body

CONFIGURATION = register(Resource(KIND, filters={"active": "body__active", "is_default": "body__is_default"}))
FEATURES = (
    "features.customer_update", "features.invoice_history", "features.payment_method_update.enabled",
    "features.subscription_cancel.cancellation_reason.enabled",
    "features.subscription_cancel.cancellation_reason.options", "features.subscription_cancel.enabled",
    "features.subscription_cancel.mode", "features.subscription_cancel.proration_behavior",
    "features.subscription_update",
)  # fmt: skip
FIELDS = ("business_profile", "default_return_url", "login_page", "metadata", "name")


def _given(call: Call) -> Body:
    return {name: value for name, value in call.params.items() if name != "expand"}


@route(
    "POST",
    "/v1/billing_portal/configurations",
    published("billing_portal.ConfigurationCreateParams", *FIELDS, *FEATURES),
)
def create(call: Call) -> Body:
    return create_configuration(**_given(call) | {"metadata": merge_metadata({}, call.get("metadata"))})


@route(
    "GET",
    "/v1/billing_portal/configurations",
    published("billing_portal.ConfigurationListParams", *PAGED, "active", "is_default"),
)
def list_configurations(call: Call) -> Body:
    return page(CONFIGURATION, call, url="/v1/billing_portal/configurations", rows=store.rows(KIND))


def _named(call: Call) -> Body:
    return fetch_from_url(CONFIGURATION, call.ids["configuration"], param="configuration")


@route("GET", "/v1/billing_portal/configurations/:configuration")
def retrieve(call: Call) -> Body:
    return _named(call)


@route(
    "POST",
    "/v1/billing_portal/configurations/:configuration",
    published("billing_portal.ConfigurationUpdateParams", "active", *FIELDS, *FEATURES),
)
def update(call: Call) -> Body:
    configuration, change = _named(call), _given(call)
    if "metadata" in change:
        change["metadata"] = merge_metadata(configuration["metadata"], change["metadata"])
    return update_configuration(configuration, change)
