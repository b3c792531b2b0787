"""Early fraud warnings, read-only (docs: "The Early Fraud Warning object")."""

from sandbox.disputes.fraud_warnings import KIND
from sandbox.protocol.listing import page
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

EARLY_FRAUD_WARNING = register(
    Resource(
        KIND,
        references={"charge": "charge", "payment_intent": "payment_intent"},
        filters={"charge": "charge", "payment_intent": "payment_intent"},
        label="early fraud warning",
    )
)
PATH = "/v1/radar/early_fraud_warnings"


@route(
    "GET",
    PATH,
    published(
        "radar.EarlyFraudWarningListParams",
        "charge",
        "created",
        "ending_before",
        "limit",
        "payment_intent",
        "starting_after",
    ),
)
def list_all(call: Call) -> Body:
    return page(EARLY_FRAUD_WARNING, call, url=PATH)


@route("GET", f"{PATH}/:early_fraud_warning")
def retrieve(call: Call) -> Body:
    return fetch_from_url(EARLY_FRAUD_WARNING, call.ids["early_fraud_warning"], param="early_fraud_warning")
