"""Checkout Sessions over the API (docs: "Create a Checkout Session")."""

from sandbox import store
from sandbox.checkout import paying
from sandbox.checkout.line_items import items_of, shown_items
from sandbox.checkout.opening import start_session
from sandbox.checkout.sessions import expire_session
from sandbox.checkout.totals import breakdown_of
from sandbox.protocol.listing import page, page_of_items
from sandbox.protocol.parameters import Hash, ListOf, NotYet, Spec, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.payment_methods import PAGED
from sandbox.store import Body

assert paying, "importing it registers the sessions' follower of intents"  # noqa: S101
SESSION = register(
    Resource(
        "checkout.session",
        references={
            "customer": "customer",
            "invoice": "invoice",
            "payment_intent": "payment_intent",
            "payment_link": "payment_link",
            "setup_intent": "setup_intent",
            "subscription": "subscription",
        },
        computed={"line_items": items_of, "total_details.breakdown": breakdown_of},
        filters={
            "customer": "customer",
            "payment_intent": "payment_intent",
            "status": "status",
            "subscription": "source",
            "payment_link": "body__payment_link",
        },
        label="checkout.session",
    )
)


@route(
    "GET",
    "/v1/checkout/sessions",
    published(
        "checkout.SessionListParams",
        *PAGED,
        "created",
        "customer",
        "customer_details",
        "payment_intent",
        "payment_link",
        "status",
        "subscription",
    ),
)
def list_sessions(call: Call) -> Body:
    rows = store.rows("checkout.session")
    if "customer_details" in call.params:
        rows = rows.filter(body__customer_details__email=call["customer_details"]["email"])
    return page(SESSION, call, url="/v1/checkout/sessions", rows=rows)


LINE_ITEMS = tuple(
    f"line_items.{name}"
    for name in (
        "adjustable_quantity", "metadata", "price", "quantity", "tax_rates", "price_data.currency",
        "price_data.product", "price_data.product_data.description", "price_data.product_data.images",
        "price_data.product_data.metadata", "price_data.product_data.name", "price_data.product_data.tax_code",
        "price_data.product_data.unit_label", "price_data.recurring", "price_data.tax_behavior",
        "price_data.unit_amount", "price_data.unit_amount_decimal",
    )
)  # fmt: skip
NESTED = (
    "after_expiration", "automatic_tax", "consent_collection", "custom_fields", "custom_text", "customer_update",
    "discounts", "invoice_creation.enabled", "invoice_creation.invoice_data.custom_fields",
    "invoice_creation.invoice_data.description", "invoice_creation.invoice_data.footer",
    "invoice_creation.invoice_data.metadata", "payment_intent_data",
    "payment_method_options.card.capture_method", "payment_method_options.card.request_three_d_secure",
    "payment_method_options.card.setup_future_usage", "payment_method_options.sepa_debit.setup_future_usage",
    "payment_method_options.us_bank_account.setup_future_usage",
    "payment_method_options.us_bank_account.verification_method", "phone_number_collection",
    "saved_payment_method_options", "setup_intent_data",
    *(f"subscription_data.{name}" for name in (
        "application_fee_percent", "default_tax_rates", "description", "metadata",
        "on_behalf_of", "transfer_data", "trial_end", "trial_period_days", "trial_settings",
    )),
)  # fmt: skip
PLAIN = (
    "allow_promotion_codes", "billing_address_collection", "cancel_url", "currency", "customer", "customer_creation",
    "expires_at", "integration_identifier", "locale", "metadata", "mode", "origin_context",
    "payment_method_collection", "submit_type", "success_url", "ui_mode",
)  # fmt: skip
OFF: Spec = Hash({"enabled": NotYet()})


@route(
    "POST",
    "/v1/checkout/sessions",
    published(
        "checkout.SessionCreateParams",
        *LINE_ITEMS,
        *NESTED,
        *PLAIN,
        adaptive_pricing=OFF,
        client_reference_id=Text(max_length=200),
        customer_email=Text(max_length=800),
        managed_payments=OFF,
        payment_method_types=ListOf(Text()),
        tax_id_collection=OFF,
    ),
)
def create(call: Call) -> Body:
    return start_session(call)


@route("GET", "/v1/checkout/sessions/:session")
def retrieve(call: Call) -> Body:
    return _named(call)


def _named(call: Call) -> Body:
    return fetch_from_url(SESSION, call.ids["session"], param="session")


@route("POST", "/v1/checkout/sessions/:session", published("checkout.SessionUpdateParams", "metadata"))
def update(call: Call) -> Body:
    session = _named(call)
    if "metadata" in call.params:
        session["metadata"] = merge_metadata(session["metadata"], call["metadata"])
    return store.save(session)


@route("GET", "/v1/checkout/sessions/:session/line_items", published("checkout.SessionListLineItemsParams", *PAGED))
def line_items(call: Call) -> Body:
    session = _named(call)
    return page_of_items(shown_items(session), call, url=f"/v1/checkout/sessions/{session['id']}/line_items")


@route("POST", "/v1/checkout/sessions/:session/expire")
def expire(call: Call) -> Body:
    return expire_session(_named(call))
