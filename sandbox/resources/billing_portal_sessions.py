"""Sessions of the billing portal (docs: "The Portal Session object")."""

from sandbox.portal import configurations
from sandbox.portal.sessions import KIND, open_portal
from sandbox.protocol.errors import ApiError
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

SESSION = register(Resource(KIND, references={"configuration": configurations.KIND}))


@route(
    "POST",
    "/v1/billing_portal/sessions",
    published(
        "billing_portal.SessionCreateParams",
        "configuration",
        "customer",
        "flow_data.after_completion",
        "flow_data.subscription_cancel.subscription",
        "flow_data.subscription_update",
        "flow_data.subscription_update_confirm.items",
        "flow_data.subscription_update_confirm.subscription",
        "flow_data.type",
        "locale",
        "on_behalf_of",
        "return_url",
    ),
    required=("customer",),
)
def create(call: Call) -> Body:
    customer = fetch_from_parameter("customer", call["customer"], param="customer")
    configuration = (
        fetch_from_parameter(configurations.KIND, call["configuration"], param="configuration")
        if call.get("configuration")
        else configurations.default_configuration()
    )
    if not configuration["active"]:
        raise ApiError(f"The configuration {configuration['id']} is not active.", param="configuration")
    return open_portal(
        customer,
        configuration,
        return_url=call.get("return_url"),
        flow=call.get("flow_data"),
        locale=call.get("locale"),
        on_behalf_of=call.get("on_behalf_of"),
    )
