"""Charges (docs: "The Charge object"). Payment intents create most of them; older direct charges work as well."""

from sandbox import store
from sandbox.payments.captures import capture_charge
from sandbox.payments.direct_charges import charge_source
from sandbox.payments.methods import complete_shipping
from sandbox.protocol.amounts import check_charge
from sandbox.protocol.errors import ApiError, no_such
from sandbox.protocol.listing import as_list, page
from sandbox.protocol.parameters import PAGING, PositiveInteger, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, presented, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.search import search_route
from sandbox.resources.refunds import CREATION, REFUND, refund_from_call
from sandbox.store import Body
from sandbox.webhooks.events import emit

SHOWN_REFUNDS = 10


def _refunds(charge: Body) -> Body:
    """The newest refunds of a charge; shown only when expanded."""
    rows = store.rows("refund").filter(charge=charge["id"]).order_by("-sequence")
    items = [presented(body) for body in rows.values_list("body", flat=True)]
    shown = as_list(
        items[:SHOWN_REFUNDS], url=f"/v1/charges/{charge['id']}/refunds", has_more=len(items) > SHOWN_REFUNDS
    )
    return shown | {"total_count": len(items)}


CHARGE = register(
    Resource(
        "charge",
        references={
            "application_fee": "application_fee",
            "balance_transaction": "balance_transaction",
            "customer": "customer",
            "destination": "account",
            "dispute": "dispute",
            "failure_balance_transaction": "balance_transaction",
            "on_behalf_of": "account",
            "payment_intent": "payment_intent",
            "review": "review",
            "source_transfer": "transfer",
            "transfer": "transfer",
            "transfer_data.destination": "account",
        },
        computed={"refunds": _refunds},
        filters={
            "customer": "customer",
            "payment_intent": "payment_intent",
            "transfer_group": "subtype",
        },
    )
)
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


@route(
    "GET",
    "/v1/charges",
    published(
        "ChargeListParams",
        "created",
        "customer",
        "ending_before",
        "limit",
        "payment_intent",
        "starting_after",
        "transfer_group",
    ),
)
def list_all(call: Call) -> Body:
    return page(CHARGE, call, url="/v1/charges")


@route(
    "POST",
    "/v1/charges",
    published(
        "ChargeCreateParams",
        "capture",
        "currency",
        "customer",
        "metadata",
        "receipt_email",
        "shipping",
        "source",
        "transfer_group",
        amount=PositiveInteger(),
        description=Text(clearable=True),
        statement_descriptor=Text(max_length=22, clearable=True),
        statement_descriptor_suffix=Text(max_length=22, clearable=True),
    ),
    required=("amount", "currency"),
)
def create(call: Call) -> Body:
    check_charge(call["amount"], call["currency"])
    terms = {key: value for key, value in call.params.items() if key not in ("capture", "expand", "source")}
    if "shipping" in terms:
        terms["shipping"] = complete_shipping(terms["shipping"])
    terms["metadata"] = merge_metadata({}, call.get("metadata"))
    customer = None
    if call.get("customer"):
        customer = fetch_from_parameter("customer", call["customer"], param="customer")
    return charge_source(terms, call.get("source"), customer, captures=call.get("capture", True))


def _named(call: Call) -> Body:
    return fetch_from_url(CHARGE, call.ids["charge"], param="charge")


@route("GET", "/v1/charges/:charge")
def retrieve(call: Call) -> Body:
    return _named(call)


@route(
    "POST",
    "/v1/charges/:charge",
    published(
        "ChargeModifyParams",
        "customer",
        "fraud_details",
        "metadata",
        "shipping",
        "transfer_group",
        description=Text(clearable=True),
        receipt_email=Text(clearable=True),
    ),
)
def update(call: Call) -> Body:
    charge = _named(call)
    change = {key: value for key, value in call.params.items() if key != "expand"}
    _check_change(charge, change)
    if "shipping" in change:
        change["shipping"] = complete_shipping(change["shipping"])
    if "metadata" in change:
        change["metadata"] = merge_metadata(charge["metadata"], change["metadata"])
    if "fraud_details" in change:
        report = change["fraud_details"].get("user_report")
        kept = {key: value for key, value in charge["fraud_details"].items() if key != "user_report"}
        change["fraud_details"] = kept | ({"user_report": report} if report else {})
    previous = {key: charge.get(key) for key in change if charge.get(key) != change[key]}
    if previous:
        charge |= change
        store.save(charge)
        emit("charge.updated", charge, previous=previous)
    return charge


def _check_change(charge: Body, change: Body) -> None:
    if "customer" in change:
        fetch_from_parameter("customer", change["customer"], param="customer")
    for name in ("customer", "transfer_group"):
        if name in change and charge[name] and charge[name] != change[name]:
            raise ApiError(f"The `{name}` of a charge can only be set while it has none.", param=name, is_executed=True)


@route(
    "POST",
    "/v1/charges/:charge/capture",
    published(
        "ChargeCaptureParams",
        "receipt_email",
        "transfer_group",
        amount=PositiveInteger(),
        statement_descriptor=Text(max_length=22, clearable=True),
        statement_descriptor_suffix=Text(max_length=22, clearable=True),
    ),
)
def capture(call: Call) -> Body:
    charge = _named(call)
    charge |= {key: value for key, value in call.params.items() if key not in ("amount", "expand")}
    return capture_charge(charge, amount=call.get("amount"))


@route("GET", "/v1/charges/:charge/refunds", PAGING)
def list_refunds(call: Call) -> Body:
    charge = _named(call)
    rows = store.rows("refund").filter(charge=charge["id"])
    return page(REFUND, call, url=f"/v1/charges/{charge['id']}/refunds", rows=rows)


@route("GET", "/v1/charges/:charge/refunds/:refund")
def retrieve_refund(call: Call) -> Body:
    refund = fetch_from_url(REFUND, call.ids["refund"], param="refund")
    if refund["charge"] != _named(call)["id"]:
        raise no_such("refund", refund["id"], param="refund", in_url=True)
    return refund


OF_A_CHARGE = {name: spec for name, spec in CREATION.items() if name not in ("charge", "payment_intent")}


@route("POST", "/v1/charges/:charge/refunds", OF_A_CHARGE)
def refund(call: Call) -> Body:
    return refund_from_call(_named(call), call)
