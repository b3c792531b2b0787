"""Top-ups of the platform's balance (docs: "The Top-up object")."""

from sandbox import store
from sandbox.connect.topups import cancel_topup, create_topup
from sandbox.options import options
from sandbox.protocol.errors import ApiError
from sandbox.protocol.listing import page, within
from sandbox.protocol.money import MAXIMUM_CHARGE
from sandbox.protocol.parameters import Integer, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.account import PAGING
from sandbox.store import Body

TOPUP = register(
    Resource("topup", references={"balance_transaction": "balance_transaction"}, filters={"status": "status"})
)
COPIED = ("description", "statement_descriptor", "transfer_group")


@route("GET", "/v1/topups", published("TopupListParams", *PAGING, "amount", "created", "status"))
def list_topups(call: Call) -> Body:
    rows = within(store.rows("topup"), "body__amount", call.get("amount"))
    return page(TOPUP, call, url="/v1/topups", rows=rows)


@route(
    "POST",
    "/v1/topups",
    published(
        "TopupCreateParams",
        "currency",
        "description",
        "metadata",
        "transfer_group",
        amount=Integer(1, MAXIMUM_CHARGE),
        statement_descriptor=Text(max_length=15),
    ),
)
def create(call: Call) -> Body:
    if store.acting_account() != options().account_id:
        raise ApiError("Only a platform can top up its balance.", code="topup_not_allowed")
    copied = {name: call.get(name) for name in COPIED}
    metadata = merge_metadata({}, call.get("metadata"))
    return create_topup(amount=call["amount"], currency=call["currency"], metadata=metadata, **copied)


@route("GET", "/v1/topups/:topup", published("TopupRetrieveParams"))
def retrieve(call: Call) -> Body:
    return _named(call)


def _named(call: Call) -> Body:
    return fetch_from_url(TOPUP, call.ids["topup"], param="id")


@route("POST", "/v1/topups/:topup", published("TopupUpdateParams", "description", "metadata"))
def update(call: Call) -> Body:
    topup = _named(call)
    if "description" in call.params:
        topup["description"] = call["description"]
    if "metadata" in call.params:
        topup["metadata"] = merge_metadata(topup["metadata"], call["metadata"])
    return store.save(topup)


@route("POST", "/v1/topups/:topup/cancel", published("TopupCancelParams"))
def cancel(call: Call) -> Body:
    return cancel_topup(_named(call))
