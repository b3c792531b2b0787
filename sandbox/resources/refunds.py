"""Refunds (docs: "The Refund object")."""

from sandbox import store
from sandbox.payments.refunds import create_refund
from sandbox.protocol.errors import ApiError, no_such
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import PositiveInteger, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
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
            "source_transfer_reversal": "transfer_reversal",
            "transfer_reversal": "transfer_reversal",
        },
        filters={"charge": "charge", "payment_intent": "payment_intent"},
    )
)
CREATION = published(
    "RefundCreateParams",
    "charge",
    "instructions_email",
    "metadata",
    "payment_intent",
    "reason",
    "refund_application_fee",
    "reverse_transfer",
    amount=PositiveInteger(),
)


@route(
    "GET",
    "/v1/refunds",
    published("RefundListParams", "charge", "created", "ending_before", "limit", "payment_intent", "starting_after"),
)
def list_all(call: Call) -> Body:
    return page(REFUND, call, url="/v1/refunds")


@route("POST", "/v1/refunds", CREATION)
def create(call: Call) -> Body:
    return refund_from_call(_charge_of(call), call)


def refund_from_call(charge: Body, call: Call) -> Body:
    """Refund a charge with the parameters of a call."""
    return create_refund(
        charge,
        amount=call.get("amount"),
        reason=call.get("reason"),
        metadata=merge_metadata({}, call.get("metadata")),
        instructions_email=call.get("instructions_email"),
        reverse_transfer=call.get("reverse_transfer", False),
        refund_application_fee=call.get("refund_application_fee", False),
    )


def _found(kind: str, call: Call) -> Body:
    """The object to refund. Raises a 404 if it is missing, although a parameter names it (observed at Stripe)."""
    found = store.find(kind, call[kind])
    if found is None:
        raise no_such(kind, call[kind], param=kind, in_url=True)
    return found


def _charge_of(call: Call) -> Body:
    charge = _found("charge", call) if call.get("charge") else None
    if not call.get("payment_intent"):
        if charge is None:
            raise ApiError("One of the following params should be provided for this request: payment_intent or charge.")
        return charge
    intent = _found("payment_intent", call)
    if charge is not None and charge["payment_intent"] != intent["id"]:
        raise ApiError(
            f"The charge {charge['id']} does not belong to the PaymentIntent {intent['id']}.", param="charge"
        )
    charge = charge or (store.find("charge", intent["latest_charge"]) if intent["latest_charge"] else None)
    if charge is None or charge["status"] != "succeeded":
        raise ApiError(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            param="payment_intent",
            is_executed=True,
        )
    return charge


def _named(call: Call) -> Body:
    return fetch_from_url(REFUND, call.ids["refund"], param="refund")


@route("GET", "/v1/refunds/:refund")
def retrieve(call: Call) -> Body:
    return _named(call)


@route("POST", "/v1/refunds/:refund", published("RefundModifyParams", "metadata"))
def update(call: Call) -> Body:
    refund = _named(call)
    if "metadata" in call.params:
        merged = merge_metadata(refund["metadata"], call["metadata"])
        if merged != refund["metadata"]:
            previous = {"metadata": refund["metadata"]}
            store.save(refund | {"metadata": merged})
            refund["metadata"] = merged
            emit("refund.updated", refund, previous=previous)
            emit("charge.refund.updated", refund, previous=previous)
    return refund


@route("POST", "/v1/refunds/:refund/cancel")
def cancel(call: Call) -> Body:
    _named(call)
    # Only refunds that wait for the buyer's bank details can be canceled, and the sandbox has no such refunds.
    raise ApiError("Canceling this refund is unsupported.", is_executed=True)
