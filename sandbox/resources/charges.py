"""Charges: read, list, annotate (docs: "The Charge object"). They are made by confirming payment intents."""

from sandbox import store
from sandbox.protocol.listing import as_list, list_route, page
from sandbox.protocol.parameters import PAGING, Hash, Metadata, Text, merge_metadata
from sandbox.protocol.resource import Resource, fetch_from_url, presented, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.search import search_route
from sandbox.resources.refunds import REFUND
from sandbox.store import Body
from sandbox.webhooks.events import emit


def _refunds(charge: Body) -> Body:
    """The refunds of a charge, newest first; only there when expanded."""
    rows = store.rows("refund").filter(charge=charge["id"]).order_by("-sequence")
    items = [presented(body) for body in rows.values_list("body", flat=True)]
    return as_list(items, url=f"/v1/charges/{charge['id']}/refunds") | {"total_count": len(items)}


CHARGE = register(
    Resource(
        "charge",
        references={
            "balance_transaction": "balance_transaction",
            "customer": "customer",
            "failure_balance_transaction": "balance_transaction",
            "payment_intent": "payment_intent",
            "review": "review",
            "source_transfer": "transfer",
            "transfer": "transfer",
            "application_fee": "application_fee",
            "on_behalf_of": "account",
        },
        computed={"refunds": _refunds},
        filters={
            "customer": "customer",
            "payment_intent": "payment_intent",
            "transfer_group": "body__transfer_group",
        },
    )
)
list_route(CHARGE, "/v1/charges")
search_route(
    CHARGE,
    "/v1/charges",
    (
        "amount",
        "billing_details.address.postal_code",
        "created",
        "currency",
        "customer",
        "disputed",
        "metadata",
        "payment_method_details.card.brand",
        "payment_method_details.card.exp_month",
        "payment_method_details.card.exp_year",
        "payment_method_details.card.fingerprint",
        "payment_method_details.card.last4",
        "refunded",
        "status",
    ),
)
FRAUD_DETAILS = Hash({"user_report": Text(choices=("fraudulent", "safe"), clearable=True)})


@route("GET", "/v1/charges/:charge")
def retrieve(call: Call) -> Body:
    return fetch_from_url(CHARGE, call.ids["charge"], param="charge")


@route(
    "POST",
    "/v1/charges/:charge",
    {
        "customer": Text(),
        "description": Text(clearable=True),
        "fraud_details": FRAUD_DETAILS,
        "metadata": Metadata(),
        "receipt_email": Text(clearable=True),
        "transfer_group": Text(),
    },
)
def update(call: Call) -> Body:
    charge = fetch_from_url(CHARGE, call.ids["charge"], param="charge")
    change = dict(call.params)
    change.pop("expand", None)
    if "metadata" in change:
        change["metadata"] = merge_metadata(charge["metadata"], change["metadata"])
    previous = {key: charge.get(key) for key in change if charge.get(key) != change[key]}
    charge |= change
    store.save(charge)
    if previous:
        emit("charge.updated", charge, previous=previous)
    return charge


@route("GET", "/v1/charges/:charge/refunds", PAGING)
def list_refunds(call: Call) -> Body:
    charge = fetch_from_url(CHARGE, call.ids["charge"], param="charge")
    rows = store.rows("refund").filter(charge=charge["id"])
    return page(REFUND, call, url=f"/v1/charges/{charge['id']}/refunds", rows=rows)
