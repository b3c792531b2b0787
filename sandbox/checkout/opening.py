"""Opening a session from its creator's parameters (docs: "Create a Checkout Session")."""

from typing import Any

from sandbox import clock, identifiers, schedule, store
from sandbox.checkout.checks import DAY, check_call, check_lines, check_tax_location, check_total, check_types
from sandbox.checkout.custom_fields import build_fields
from sandbox.checkout.discounting import set_discount
from sandbox.checkout.line_items import build_line_items
from sandbox.checkout.offered import offered_types
from sandbox.checkout.sessions import page_address
from sandbox.checkout.shapes import NO_INVOICE, known_customer_details, open_session
from sandbox.checkout.totals import recalculate
from sandbox.connect.share_parameters import check_share
from sandbox.payments.setups import create_setup_intent
from sandbox.protocol.errors import ApiError
from sandbox.protocol.parameters import merge_metadata
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.protocol.routing import Call
from sandbox.store import Body

COPIED = (
    "allow_promotion_codes", "billing_address_collection", "cancel_url", "client_reference_id", "consent_collection",
    "customer_creation", "customer_email", "integration_identifier", "locale", "origin_context",
    "payment_method_collection", "phone_number_collection", "submit_type", "success_url",
)  # fmt: skip


def start_session(call: Call) -> Body:
    """A stored open session. Raises Stripe's refusals; emits only the creation of a setup intent."""
    check_call(call)
    session = open_session(call["mode"]) | _identity(call)
    session |= {name: call[name] for name in COPIED if name in call.params}
    customer = _take_customer(session, call)
    _take_settings(session, call)
    if session["mode"] == "setup":
        session["currency"] = call.get("currency")
    else:
        _take_lines(session, call)
    check_tax_location(session, customer)
    if "payment_method_types" in call.params:
        session["payment_method_types"] = check_types(call["payment_method_types"], session["currency"])
    elif session["mode"] == "payment":
        session["payment_method_types"] = offered_types(session["currency"])
    options = {kind: given for kind, given in call.get("payment_method_options", {}).items() if given}
    for kind in session["payment_method_types"]:
        default = {"request_three_d_secure": "automatic"} if kind == "card" else {}
        session["payment_method_options"][kind] = default | options.get(kind, {})
    if session["mode"] == "setup":
        _open_setup(session, call)
    store.insert(session)
    schedule.schedule("expire_session", session["id"], at=session["expires_at"])
    return session


def _identity(call: Call) -> Body:
    session_id, moment = identifiers.new_id("cs_test_a1", 56), clock.now()
    return {
        "id": session_id,
        "created": moment,
        "expires_at": call.get("expires_at", moment + DAY),
        "metadata": merge_metadata({}, call.get("metadata")),
        "url": page_address(session_id),
        "_customer_update": call.get("customer_update", {}),
        "_payment_intent_data": _data(call, "payment_intent_data"),
        "_setup_intent_data": _data(call, "setup_intent_data"),
        "_subscription_data": _data(call, "subscription_data"),
    }


def _data(call: Call, name: str) -> Body:
    data: dict[str, Any] = {key: value for key, value in call.get(name, {}).items() if value not in (None, "")}
    if "metadata" in data:
        data["metadata"] = merge_metadata({}, data["metadata"])
    check_share(data, within=name)
    return data


def _take_customer(session: Body, call: Call) -> Body | None:
    if not call.get("customer"):
        return None
    customer = fetch_from_parameter("customer", call["customer"], param="customer")
    session |= {"customer": customer["id"], "customer_details": known_customer_details(customer, mode=session["mode"])}
    if session["mode"] != "subscription":
        session["customer_creation"] = None
    return customer


def _take_settings(session: Body, call: Call) -> None:
    """Nested settings, each with all the keys that Stripe shows."""
    if call.get("automatic_tax", {}).get("enabled"):
        session["automatic_tax"] = {
            "enabled": True,
            "liability": call["automatic_tax"].get("liability") or {"type": "self"},
            "provider": "stripe",
            "status": "requires_location_inputs",
        }
    session["custom_fields"] = build_fields(call.get("custom_fields", []))
    session["custom_text"] |= {name: text for name, text in call.get("custom_text", {}).items() if text}
    if "saved_payment_method_options" in call.params:
        session["saved_payment_method_options"] = {
            "allow_redisplay_filters": None,
            "payment_method_remove": None,
            "payment_method_save": None,
        } | call["saved_payment_method_options"]
    if session["consent_collection"]:
        nothing = dict.fromkeys(("payment_method_reuse_agreement", "promotions", "terms_of_service"))
        session["consent_collection"] = nothing | session["consent_collection"]
    recovery = (call.get("after_expiration") or {}).get("recovery")
    if recovery:
        nothing = {"allow_promotion_codes": False, "expires_at": None, "url": None}
        session["after_expiration"] = {"recovery": nothing | recovery}
    if call.get("invoice_creation", {}).get("enabled"):
        data = call["invoice_creation"].get("invoice_data", {})
        data = data | {"metadata": merge_metadata({}, data.get("metadata"))}
        session["invoice_creation"] = {"enabled": True, "invoice_data": NO_INVOICE["invoice_data"] | data}


def _take_lines(session: Body, call: Call) -> None:
    items = build_line_items(
        call["line_items"], session_id=session["id"], mode=session["mode"], currency=call.get("currency")
    )
    check_lines(items, session["mode"])
    data = session["_subscription_data"]
    if data.get("trial_period_days") or data.get("trial_end"):
        for item in items:
            item["_is_postponed"] = item["price"]["type"] == "recurring"
    session |= {"currency": items[0]["currency"], "_line_items": items}
    session["_default_tax_rates"] = [
        fetch_from_parameter("tax_rate", rate, param=f"subscription_data[default_tax_rates][{index}]")["id"]
        for index, rate in enumerate(data.get("default_tax_rates", ()))
    ]
    customer = store.find("customer", session["customer"] or "")
    if customer and session["automatic_tax"]["enabled"] and session["_customer_update"].get("address") != "auto":
        session["_place"] = customer["address"]
    _check_customers_currency(session, customer)
    recalculate(session)
    if call.get("discounts"):
        set_discount(session, call["discounts"][0])
    check_total(session)


def _check_customers_currency(session: Body, customer: Body | None) -> None:
    if session["mode"] == "subscription" and customer and customer["currency"] not in (None, session["currency"]):
        raise ApiError(
            "You cannot combine currencies on a single customer. This customer has an active subscription, "
            f"subscription schedule, discount, quote, or invoice item with currency {customer['currency']}.",
            param="line_items",
        )


def _open_setup(session: Body, call: Call) -> None:
    """Create the setup intent, which unlike a payment's exists from the beginning."""
    if "payment_method_types" not in call.params:
        session["payment_method_types"] = ["card"]
    intent = create_setup_intent(
        customer=session["customer"],
        payment_method_types=session["payment_method_types"],
        payment_method_options=session["payment_method_options"],
        _session=session["id"],
        **session["_setup_intent_data"],
    )
    session["setup_intent"] = intent["id"]
