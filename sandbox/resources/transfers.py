"""Transfers to connected accounts (docs: "The Transfer object")."""

from sandbox import store
from sandbox.connect import sharing
from sandbox.connect.transfers import check_destination, check_source, create_transfer
from sandbox.protocol.errors import missing_parameter
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import PositiveInteger, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.account import PAGING
from sandbox.store import Body
from sandbox.webhooks.events import emit

assert sharing, "importing it registers the followers that share payments with connected accounts"  # noqa: S101


TRANSFER = register(
    Resource(
        "transfer",
        references={
            "balance_transaction": "balance_transaction",
            "destination": "account",
            "destination_payment": "charge",
            "source_transaction": "charge",
        },
        filters={"destination": "subtype", "transfer_group": "body__transfer_group"},
    )
)


@route(
    "GET",
    "/v1/transfers",
    published("TransferListParams", *PAGING, "created", "destination", "transfer_group"),
)
def list_transfers(call: Call) -> Body:
    return page(TRANSFER, call, url="/v1/transfers")


@route(
    "POST",
    "/v1/transfers",
    published(
        "TransferCreateParams",
        "currency",
        "description",
        "destination",
        "metadata",
        "source_transaction",
        "source_type",
        "transfer_group",
        amount=PositiveInteger(),
    ),
)
def create(call: Call) -> Body:
    check_destination(call["destination"], param="destination")
    source = None
    if call.get("source_transaction"):
        source = fetch_from_parameter("charge", call["source_transaction"], param="source_transaction")
    elif "amount" not in call.params:
        raise missing_parameter("amount")
    amount = call.get("amount") or (source or {})["amount"]
    if source:
        check_source(source, amount)
    return create_transfer(
        amount=amount,
        currency=call["currency"],
        destination=call["destination"],
        source=source,
        description=call.get("description"),
        metadata=merge_metadata({}, call.get("metadata")),
        transfer_group=call.get("transfer_group"),
        source_type=call.get("source_type", "card"),
    )


@route("GET", "/v1/transfers/:transfer", published("TransferRetrieveParams"))
def retrieve(call: Call) -> Body:
    return named_transfer(call)


def named_transfer(call: Call) -> Body:
    """The transfer whose id is in the URL. Raises Stripe's 404."""
    return fetch_from_url(TRANSFER, call.ids["transfer"], param="transfer")


@route(
    "POST",
    "/v1/transfers/:transfer",
    published("TransferUpdateParams", "metadata", description=Text(clearable=True)),
)
def update(call: Call) -> Body:
    transfer = named_transfer(call)
    change = {name: value for name, value in call.params.items() if name != "expand"}
    if "metadata" in change:
        change["metadata"] = merge_metadata(transfer["metadata"], change["metadata"])
    previous = {name: transfer[name] for name in change if transfer[name] != change[name]}
    transfer |= change
    if previous:
        store.save(transfer)
        emit("transfer.updated", transfer, previous=previous)
    return transfer
