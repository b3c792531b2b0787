"""Capabilities of an account (docs: "The Capability object")."""

from stripe import Account

from sandbox.connect.accounts import capability_of, changing, request_capability
from sandbox.connect.requirements import is_platform
from sandbox.protocol.errors import ApiError
from sandbox.protocol.listing import as_list
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.account import named_account
from sandbox.store import Body

CAPABILITY = register(Resource("capability", references={"account": "account"}))
NAMES = frozenset(Account.Capabilities.__annotations__)


@route("GET", "/v1/accounts/:account/capabilities", published("AccountCapabilityListParams"))
def list_capabilities(call: Call) -> Body:
    account = named_account(call)
    items = [capability_of(account, name) for name in sorted(account["capabilities"])]
    return as_list(items, url=f"/v1/accounts/{account['id']}/capabilities")


@route("GET", "/v1/accounts/:account/capabilities/:capability", published("AccountCapabilityRetrieveParams"))
def retrieve(call: Call) -> Body:
    return capability_of(named_account(call), _name(call))


@route(
    "POST", "/v1/accounts/:account/capabilities/:capability", published("AccountCapabilityUpdateParams", "requested")
)
def update(call: Call) -> Body:
    account, name = named_account(call), _name(call)
    if is_platform(account):
        raise ApiError("You cannot update the capabilities of your own account over the API.", param="capability")
    if "requested" in call.params:
        with changing(account["id"]) as account:
            request_capability(account, name, is_requested=call["requested"])
    return capability_of(account, name)


def _name(call: Call) -> str:
    name = call.ids["capability"]
    if name not in NAMES:
        raise ApiError(f"No such capability: '{name}'", status=404, code="resource_missing", param="capability")
    return name
