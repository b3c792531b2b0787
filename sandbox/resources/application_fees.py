"""Application fees and their refunds (docs: "The Application Fee object")."""

from sandbox import store
from sandbox.connect.application_fees import refund_fee, save_with_refunds
from sandbox.protocol.amounts import check_step
from sandbox.protocol.errors import no_such
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import PositiveInteger, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.account import PAGING
from sandbox.store import Body
from sandbox.webhooks.events import emit

APPLICATION_FEE = register(
    Resource(
        "application_fee",
        references={
            "account": "account",
            "balance_transaction": "balance_transaction",
            "charge": "charge",
            "originating_transaction": "charge",
        },
        filters={"charge": "charge"},
        label="application fee",
    )
)
FEE_REFUND = register(
    Resource(
        "fee_refund",
        references={"balance_transaction": "balance_transaction", "fee": "application_fee"},
        label="application fee refund",
    )
)
REFUNDS = "/v1/application_fees/:fee/refunds"


@route("GET", "/v1/application_fees", published("ApplicationFeeListParams", *PAGING, "charge", "created"))
def list_fees(call: Call) -> Body:
    return page(APPLICATION_FEE, call, url="/v1/application_fees")


@route("GET", "/v1/application_fees/:fee", published("ApplicationFeeRetrieveParams"))
def retrieve(call: Call) -> Body:
    return _fee(call)


def _fee(call: Call) -> Body:
    return fetch_from_url(APPLICATION_FEE, call.ids["fee"], param="id")


@route("GET", REFUNDS, published("ApplicationFeeRefundListParams", *PAGING))
def list_refunds(call: Call) -> Body:
    fee = _fee(call)
    rows = store.rows("fee_refund").filter(source=fee["id"])
    return page(FEE_REFUND, call, url=f"/v1/application_fees/{fee['id']}/refunds", rows=rows)


@route("POST", REFUNDS, published("ApplicationFeeRefundCreateParams", "metadata", amount=PositiveInteger()))
def create_refund(call: Call) -> Body:
    fee = _fee(call)
    if "amount" in call.params:
        check_step(call["amount"], fee["currency"])
    return refund_fee(fee, amount=call.get("amount"), metadata=merge_metadata({}, call.get("metadata")))


@route("GET", f"{REFUNDS}/:id", published("ApplicationFeeRefundRetrieveParams"))
def retrieve_refund(call: Call) -> Body:
    return _refund(call)[1]


@route("POST", f"{REFUNDS}/:id", published("ApplicationFeeRefundUpdateParams", "metadata"))
def update_refund(call: Call) -> Body:
    fee, refund = _refund(call)
    if "metadata" in call.params:
        previous = {"metadata": refund["metadata"]}
        refund["metadata"] = merge_metadata(refund["metadata"], call["metadata"])
        if previous["metadata"] != refund["metadata"]:
            store.save(refund)
            save_with_refunds(fee)
            emit("application_fee.refund.updated", refund, previous=previous)
    return refund


def _refund(call: Call) -> tuple[Body, Body]:
    """The fee and its refund whose ids are in the URL. Raises Stripe's 404."""
    fee = _fee(call)
    refund = store.find("fee_refund", call.ids["id"])
    if refund is None or refund["fee"] != fee["id"]:
        raise no_such("application fee refund", call.ids["id"], in_url=True)
    return fee, refund
