"""Balance transactions, read-only (docs: "The Balance Transaction object")."""

from sandbox.protocol.listing import page
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

BALANCE_TRANSACTION = register(
    Resource(
        "balance_transaction",
        # The source may be a charge, a refund, a transfer, a payout …; only its id identifies the kind.
        references={"source": "*"},
        filters={"type": "subtype", "source": "source", "currency": "currency", "payout": "payout"},
        label="balance transaction",
    )
)
FILTERS = ("created", "currency", "ending_before", "limit", "payout", "source", "starting_after", "type")


@route("GET", "/v1/balance_transactions", published("BalanceTransactionListParams", *FILTERS))
def list_balance_transactions(call: Call) -> Body:
    return page(BALANCE_TRANSACTION, call, url="/v1/balance_transactions")


@route("GET", "/v1/balance_transactions/:id", published("BalanceTransactionRetrieveParams"))
def retrieve(call: Call) -> Body:
    return fetch_from_url(BALANCE_TRANSACTION, call.ids["id"])
