"""Transfer reversals (docs: "The Transfer Reversal object")."""

from sandbox import store
from sandbox.connect.reversals import reverse_transfer
from sandbox.connect.transfers import save_with_reversals
from sandbox.protocol.amounts import check_step
from sandbox.protocol.errors import no_such
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import PositiveInteger, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.account import PAGING
from sandbox.resources.transfers import named_transfer
from sandbox.store import Body
from sandbox.webhooks.events import emit

REVERSAL = register(
    Resource(
        "transfer_reversal",
        references={
            "balance_transaction": "balance_transaction",
            "destination_payment_refund": "refund",
            "source_refund": "refund",
            "transfer": "transfer",
        },
        label="transfer reversal",
    )
)
PATH = "/v1/transfers/:transfer/reversals"


@route("GET", PATH, published("TransferReversalListParams", *PAGING))
def list_reversals(call: Call) -> Body:
    transfer = named_transfer(call)
    rows = store.rows("transfer_reversal").filter(source=transfer["id"])
    return page(REVERSAL, call, url=f"/v1/transfers/{transfer['id']}/reversals", rows=rows)


@route(
    "POST",
    PATH,
    published(
        "TransferReversalCreateParams", "description", "metadata", "refund_application_fee", amount=PositiveInteger()
    ),
)
def create(call: Call) -> Body:
    transfer = named_transfer(call)
    if "amount" in call.params:
        check_step(call["amount"], transfer["currency"])
    return reverse_transfer(
        transfer,
        amount=call.get("amount"),
        metadata=merge_metadata({}, call.get("metadata")),
        description=call.get("description"),
        refund_application_fee=call.get("refund_application_fee", False),
    )


@route("GET", f"{PATH}/:id", published("TransferReversalRetrieveParams"))
def retrieve(call: Call) -> Body:
    return _named(call)[1]


@route("POST", f"{PATH}/:id", published("TransferReversalUpdateParams", "metadata"))
def update(call: Call) -> Body:
    transfer, reversal = _named(call)
    if "metadata" in call.params:
        before = transfer["reversals"]
        metadata = merge_metadata(reversal["metadata"], call["metadata"])
        if metadata != reversal["metadata"]:
            store.save(reversal | {"metadata": metadata})
            reversal["metadata"] = metadata
            save_with_reversals(transfer)
            emit("transfer.updated", transfer, previous={"reversals": before})
    return reversal


def _named(call: Call) -> tuple[Body, Body]:
    """The transfer and its reversal whose ids are in the URL. Raises Stripe's 404."""
    transfer = named_transfer(call)
    reversal = store.find("transfer_reversal", call.ids["id"])
    if reversal is None or reversal["transfer"] != transfer["id"]:
        raise no_such("transfer reversal", call.ids["id"], in_url=True)
    return transfer, reversal
