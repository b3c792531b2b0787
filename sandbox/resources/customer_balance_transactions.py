"""Customer balance transactions (docs: "The Customer Balance Transaction object"). Negative amounts are credit."""

from typing import Any

from sandbox import store
from sandbox.billing import clocks
from sandbox.billing.credit import move_balance
from sandbox.protocol.errors import ApiError, no_such
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.customers import existing_customer
from sandbox.store import Body

TRANSACTION = register(
    Resource("customer_balance_transaction", references={"customer": "customer", "invoice": "invoice"})
)
COLLECTION = "/v1/customers/:customer/balance_transactions"
WORDS: dict[str, Any] = {"description": Text(max_length=350, clearable=True)}


@route(
    "POST",
    COLLECTION,
    published("CustomerBalanceTransactionCreateParams", "amount", "currency", "metadata", **WORDS),
)
def create(call: Call) -> Body:
    customer = existing_customer(call)
    if customer["currency"] not in (None, call["currency"]):
        raise ApiError(
            f"The customer's balance is in {customer['currency']}; it cannot be changed in {call['currency']}.",
            param="currency",
        )
    if call["amount"] == 0:
        raise ApiError("Invalid amount: must not be zero.", code="parameter_invalid_integer", param="amount")
    with clocks.time_of(customer):
        made = move_balance(customer["id"], call["amount"], currency=call["currency"], kind="adjustment")
    if made is None:
        raise no_such("customer", customer["id"], param="customer", in_url=True)
    return _edited(made, call)


def _edited(transaction: Body, call: Call) -> Body:
    transaction |= {key: call[key] for key in ("description",) if key in call.params}
    if "metadata" in call.params:
        transaction["metadata"] = merge_metadata(transaction["metadata"], call["metadata"])
    return store.save(transaction)


@route(
    "GET",
    COLLECTION,
    published("CustomerBalanceTransactionListParams", "created", "ending_before", "invoice", "limit", "starting_after"),
)
def list_transactions(call: Call) -> Body:
    customer = existing_customer(call)
    rows = store.rows(TRANSACTION.kind).filter(customer=customer["id"])
    if "invoice" in call.params:
        rows = rows.filter(body__invoice=call["invoice"])
    return page(TRANSACTION, call, url=f"/v1/customers/{customer['id']}/balance_transactions", rows=rows)


@route("GET", f"{COLLECTION}/:transaction")
def retrieve(call: Call) -> Body:
    transaction = store.find(TRANSACTION.kind, call.ids["transaction"])
    if transaction is None or transaction["customer"] != existing_customer(call)["id"]:
        raise no_such("customer_balance_transaction", call.ids["transaction"], param="transaction", in_url=True)
    return transaction


@route("POST", f"{COLLECTION}/:transaction", published("CustomerBalanceTransactionUpdateParams", "metadata", **WORDS))
def update(call: Call) -> Body:
    return _edited(retrieve(call), call)
