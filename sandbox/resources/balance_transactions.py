"""Balance transactions, read only (docs: "The Balance Transaction object")."""

from sandbox.protocol.listing import list_route
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

BALANCE_TRANSACTION = register(
    Resource(
        "balance_transaction",
        references={"source": "charge"},
        filters={"type": "subtype", "source": "source", "currency": "body__currency", "payout": "body__payout"},
        label="balance transaction",
    )
)
list_route(BALANCE_TRANSACTION, "/v1/balance_transactions")


@route("GET", "/v1/balance_transactions/:id")
def retrieve(call: Call) -> Body:
    return fetch_from_url(BALANCE_TRANSACTION, call.ids["id"])
