"""Payouts to bank accounts (docs: "The Payout object")."""

from sandbox import store
from sandbox.connect import payout_schedule
from sandbox.connect.payouts import cancel_payout, create_payout, reverse_payout, update_payout
from sandbox.options import options
from sandbox.protocol.amounts import check_step
from sandbox.protocol.errors import ApiError
from sandbox.protocol.listing import page, within
from sandbox.protocol.parameters import PositiveInteger, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.account import PAGING
from sandbox.store import Body

assert payout_schedule, "importing it registers the step of automatic payouts"  # noqa: S101
PAYOUT = register(
    Resource(
        "payout",
        references={
            "balance_transaction": "balance_transaction",
            "destination": "bank_account",
            "failure_balance_transaction": "balance_transaction",
            "original_payout": "payout",
            "reversed_by": "payout",
        },
        filters={"destination": "source", "status": "status"},
    )
)


@route(
    "GET",
    "/v1/payouts",
    published("PayoutListParams", *PAGING, "arrival_date", "created", "destination", "status"),
)
def list_payouts(call: Call) -> Body:
    rows = within(store.rows("payout"), "body__arrival_date", call.get("arrival_date"))
    return page(PAYOUT, call, url="/v1/payouts", rows=rows)


@route(
    "POST",
    "/v1/payouts",
    published(
        "PayoutCreateParams",
        "currency",
        "description",
        "destination",
        "metadata",
        "method",
        "source_type",
        amount=PositiveInteger(),
        statement_descriptor=Text(max_length=22),
    ),
)
def create(call: Call) -> Body:
    if call.get("method") == "instant":
        raise ApiError(
            "This external account is not eligible for Instant Payouts.",
            code="instant_payouts_unsupported",
            param="method",
        )
    check_step(call["amount"], call["currency"], is_payout=True)
    return create_payout(
        amount=call["amount"],
        currency=call["currency"],
        destination=call.get("destination"),
        description=call.get("description"),
        metadata=merge_metadata({}, call.get("metadata")),
        statement_descriptor=call.get("statement_descriptor"),
        source_type=call.get("source_type", "card"),
    )


@route("GET", "/v1/payouts/:payout", published("PayoutRetrieveParams"))
def retrieve(call: Call) -> Body:
    return _named(call)


def _named(call: Call) -> Body:
    return fetch_from_url(PAYOUT, call.ids["payout"], param="payout")


@route("POST", "/v1/payouts/:payout", published("PayoutUpdateParams", "metadata"))
def update(call: Call) -> Body:
    payout = _named(call)
    return update_payout(payout, call["metadata"]) if "metadata" in call.params else payout


@route("POST", "/v1/payouts/:payout/cancel", published("PayoutCancelParams"))
def cancel(call: Call) -> Body:
    return cancel_payout(_named(call))


@route("POST", "/v1/payouts/:payout/reverse", published("PayoutReverseParams", "metadata"))
def reverse(call: Call) -> Body:
    payout = _named(call)
    if store.acting_account() == options().account_id:
        raise ApiError("Only payouts of connected accounts can be reversed.", code="payouts_not_allowed")
    return reverse_payout(payout, merge_metadata({}, call.get("metadata")))
