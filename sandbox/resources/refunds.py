"""Refunds (docs: "The Refund object")."""

from sandbox import store
from sandbox.payments.refunds import create_refund
from sandbox.protocol.errors import ApiError, missing_parameter, unexpected_state
from sandbox.protocol.listing import list_route
from sandbox.protocol.parameters import Integer, Metadata, NotYet, Text, merge_metadata
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body
from sandbox.webhooks.events import emit

REFUND = register(
    Resource(
        "refund",
        references={
            "balance_transaction": "balance_transaction",
            "charge": "charge",
            "customer": "customer",
            "failure_balance_transaction": "balance_transaction",
            "payment_intent": "payment_intent",
            "payment_method": "payment_method",
        },
        filters={"charge": "charge", "payment_intent": "payment_intent"},
    )
)
list_route(REFUND, "/v1/refunds")
REASONS = ("duplicate", "fraudulent", "requested_by_customer")


@route(
    "POST",
    "/v1/refunds",
    {
        "amount": Integer(minimum=1),
        "charge": Text(),
        "payment_intent": Text(),
        "currency": Text(),
        "metadata": Metadata(),
        "reason": Text(choices=REASONS),
        "instructions_email": Text(),
        "refund_application_fee": NotYet(),
        "reverse_transfer": NotYet(),
    },
)
def create(call: Call) -> Body:
    return create_refund(
        _charge_of(call),
        amount=call.get("amount"),
        reason=call.get("reason"),
        metadata=merge_metadata({}, call.get("metadata")),
    )


def _charge_of(call: Call) -> Body:
    if call.get("charge"):
        return fetch_from_parameter("charge", call["charge"], param="charge")
    if not call.get("payment_intent"):
        raise missing_parameter("payment_intent")
    intent = fetch_from_parameter("payment_intent", call["payment_intent"], param="payment_intent")
    charge = store.find("charge", intent["latest_charge"]) if intent["latest_charge"] else None
    if charge is None or charge["status"] != "succeeded":
        raise ApiError(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            param="payment_intent",
            is_executed=True,
        )
    return charge


@route("GET", "/v1/refunds/:refund")
def retrieve(call: Call) -> Body:
    return fetch_from_url(REFUND, call.ids["refund"], param="refund")


@route("POST", "/v1/refunds/:refund", {"metadata": Metadata()})
def update(call: Call) -> Body:
    refund = fetch_from_url(REFUND, call.ids["refund"], param="refund")
    if "metadata" in call.params:
        previous = {"metadata": refund["metadata"]}
        refund["metadata"] = merge_metadata(refund["metadata"], call["metadata"])
        store.save(refund)
        emit("refund.updated", refund, previous=previous)
        emit("charge.refund.updated", refund, previous=previous)
    return refund


@route("POST", "/v1/refunds/:refund/cancel")
def cancel(call: Call) -> Body:
    refund = fetch_from_url(REFUND, call.ids["refund"], param="refund")
    raise unexpected_state(
        f"The refund {refund['id']} cannot be canceled: only refunds that require an action can be.",
        code="refund_not_cancelable",
    )
