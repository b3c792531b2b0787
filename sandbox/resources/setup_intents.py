"""Setup intents and their attempts over the API (docs: "The SetupIntent object")."""

from typing import Any

from sandbox import store
from sandbox.payments import microdeposits, setups
from sandbox.payments.followers import call_followers
from sandbox.payments.intent_parameters import (
    acceptance_of,
    automatic_methods,
    check_confirming,
    check_return_url,
    configuration,
    enabled_types,
    require_types,
)
from sandbox.payments.method_checks import check_method, check_owner
from sandbox.payments.method_data import create_from_data
from sandbox.payments.methods import resolve
from sandbox.protocol.errors import unexpected_state
from sandbox.protocol.listing import list_route, page
from sandbox.protocol.parameters import ListOf, Spec, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.payment_methods import METHOD_DATA, PAGED
from sandbox.store import Body

SETUP_INTENT = register(
    Resource(
        "setup_intent",
        references={
            "customer": "customer",
            "latest_attempt": "setup_attempt",
            "mandate": "mandate",
            "on_behalf_of": "account",
            "payment_method": "payment_method",
            "single_use_mandate": "mandate",
        },
        filters={"customer": "customer", "payment_method": "source"},
        label="setupintent",
    )
)
SETUP_ATTEMPT = register(
    Resource(
        "setup_attempt",
        references={
            "customer": "customer",
            "on_behalf_of": "account",
            "payment_method": "payment_method",
            "setup_intent": "setup_intent",
        },
        filters={"setup_intent": "source"},
    )
)
list_route(
    SETUP_INTENT,
    "/v1/setup_intents",
    dict(published("SetupIntentListParams", *PAGED, "created", "customer", "payment_method")),
)
OPTIONS = (
    "payment_method_options.card.request_three_d_secure",
    "payment_method_options.us_bank_account.verification_method",
)
COMMON = ("customer", "description", "flow_directions", "metadata", "payment_method", "payment_method_types")
LIMITS: dict[str, Spec] = {"description": Text(max_length=1000, clearable=True), "payment_method_types": ListOf(Text())}
LABEL = "SetupIntent"
COPIED = ("description", "flow_directions", "on_behalf_of", "usage")


@route("GET", "/v1/setup_attempts", published("SetupAttemptListParams", *PAGED, "created", "setup_intent"))
def list_attempts(call: Call) -> Body:
    fetch_from_parameter("setup_intent", call["setup_intent"], param="setup_intent")
    return page(SETUP_ATTEMPT, call, url="/v1/setup_attempts")


@route(
    "POST",
    "/v1/setup_intents",
    published(
        "SetupIntentCreateParams",
        *COMMON,
        *OPTIONS,
        "automatic_payment_methods",
        "confirm",
        "mandate_data",
        "on_behalf_of",
        "return_url",
        "usage",
        "use_stripe_sdk",
        payment_method_data=METHOD_DATA,
        **LIMITS,
    ),
)
def create(call: Call) -> Body:
    check_confirming(call, LABEL)
    fields: dict[str, Any] = {name: call[name] for name in COPIED if name in call.params}
    fields["metadata"] = merge_metadata({}, call.get("metadata"))
    if call.get("customer"):
        fields["customer"] = fetch_from_parameter("customer", call["customer"], param="customer")["id"]
    if "payment_method_types" in call.params:
        fields["payment_method_types"] = require_types(call["payment_method_types"])
    else:
        fields["automatic_payment_methods"] = automatic_methods(call.get("automatic_payment_methods"))
        fields["payment_method_configuration_details"] = configuration()
        fields["payment_method_types"] = enabled_types(None)
    fields["payment_method_options"] = call.get("payment_method_options", {})
    method = _method_of(call)
    if method:
        check_owner("setup_intent", fields.get("customer"), method)
        fields |= {"payment_method": method["id"], "status": "requires_confirmation"}
    intent = setups.create_setup_intent(**fields)
    return _confirmed(intent, method, call) if call.get("confirm") else intent


def _method_of(call: Call) -> Body | None:
    if "payment_method_data" in call.params:
        return create_from_data(call["payment_method_data"])
    return resolve(call["payment_method"]) if call.get("payment_method") else None


def _confirmed(intent: Body, method: Body | None, call: Call) -> Body:
    if method is None:
        raise unexpected_state(
            "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the "
            "SetupIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken.",
            code="setup_intent_unexpected_state",
            details={"setup_intent": intent},
        )
    setups.check_confirmable(intent)
    check_return_url(intent, call, LABEL)
    check_method(intent, method)
    attempt = setups.confirm_setup_intent(
        intent,
        method,
        return_url=None if call.get("use_stripe_sdk") else call.get("return_url"),
        acceptance=acceptance_of(call),
    )
    call_followers(attempt.intent)
    if attempt.error:
        raise attempt.error
    return attempt.intent


def _named(call: Call) -> Body:
    return fetch_from_url(SETUP_INTENT, call.ids["intent"], param="intent")


@route("GET", "/v1/setup_intents/:intent", published("SetupIntentRetrieveParams", "client_secret"))
def retrieve(call: Call) -> Body:
    return _named(call)


@route(
    "POST",
    "/v1/setup_intents/:intent",
    published("SetupIntentUpdateParams", *COMMON, *OPTIONS, payment_method_data=METHOD_DATA, **LIMITS),
)
def update(call: Call) -> Body:
    intent = _named(call)
    is_open = intent["status"] in setups.CANCELABLE
    others = [name for name in call.params if name not in ("expand", "metadata", "description")]
    if others and not is_open:
        raise unexpected_state(
            f"You cannot update this SetupIntent because it has a status of {intent['status']}.",
            code="setup_intent_unexpected_state",
            details={"setup_intent": intent},
        )
    if "metadata" in call.params:
        intent["metadata"] = merge_metadata(intent["metadata"], call["metadata"])
    intent |= {name: call[name] for name in ("description", "flow_directions") if name in call.params}
    if "customer" in call.params:
        intent["customer"] = fetch_from_parameter("customer", call["customer"], param="customer")["id"]
    if "payment_method_types" in call.params:
        intent["payment_method_types"] = require_types(call["payment_method_types"])
    given = intent["payment_method_options"] | call.get("payment_method_options", {})
    intent["payment_method_options"] = setups.setup_options(intent["payment_method_types"], given)
    method = _method_of(call)
    if call.get("payment_method", "") is None:
        intent |= {"payment_method": None, "status": "requires_payment_method", "next_action": None}
    if method:
        check_owner("setup_intent", intent["customer"], method)
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return store.save(intent)


@route(
    "POST",
    "/v1/setup_intents/:intent/confirm",
    {
        **published(
            "SetupIntentConfirmParams",
            *OPTIONS,
            "mandate_data",
            "payment_method",
            "return_url",
            "use_stripe_sdk",
            payment_method_data=METHOD_DATA,
        ),
        "client_secret": Text(),
    },
)
def confirm(call: Call) -> Body:
    intent = _named(call)
    refuse_session_owned(intent, "confirm")
    if "payment_method_options" in call.params:
        given = intent["payment_method_options"] | call["payment_method_options"]
        intent["payment_method_options"] = setups.setup_options(intent["payment_method_types"], given)
    method = _method_of(call)
    if method is None and intent["payment_method"]:
        method = store.fetch("payment_method", intent["payment_method"])
    return _confirmed(intent, method, call)


def refuse_session_owned(intent: Body, verb: str) -> None:
    """Refuse an intent that belongs to a Checkout Session (docs: "The Session object", `setup_intent`)."""
    if intent.get("_session"):
        raise unexpected_state(
            f"You cannot {verb} this SetupIntent because it belongs to a Checkout Session.",
            code="setup_intent_unexpected_state",
            details={"setup_intent": intent},
        )


@route("POST", "/v1/setup_intents/:intent/cancel", published("SetupIntentCancelParams", "cancellation_reason"))
def cancel(call: Call) -> Body:
    intent = _named(call)
    refuse_session_owned(intent, "cancel")
    return setups.cancel_setup_intent(intent, reason=call.get("cancellation_reason"))


@route(
    "POST",
    "/v1/setup_intents/:intent/verify_microdeposits",
    published("SetupIntentVerifyMicrodepositsParams", "amounts", "descriptor_code"),
)
def verify_microdeposits(call: Call) -> Body:
    attempt = microdeposits.verify(
        _named(call), amounts=call.get("amounts"), descriptor_code=call.get("descriptor_code")
    )
    call_followers(attempt.intent)
    return attempt.intent
