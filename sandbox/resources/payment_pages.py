"""Pay a hosted page over HTTP with the secret key, as the fixtures of Stripe's command-line tool do."""

from sandbox.checkout.buyers import Buyer
from sandbox.checkout.paying import pay_session
from sandbox.checkout.sessions import require_open
from sandbox.checkout.subscribing import needs_method
from sandbox.payments.method_checks import check_fresh, check_owner
from sandbox.payments.methods import resolve
from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.protocol.parameters import Integer, Text
from sandbox.protocol.resource import fetch_from_url
from sandbox.protocol.routing import Call, route
from sandbox.resources.checkout_sessions import SESSION
from sandbox.store import Body


@route("GET", "/v1/payment_pages/:session")
def retrieve(call: Call) -> Body:
    return fetch_from_url(SESSION, call.ids["session"], param="session")


@route(
    "POST",
    "/v1/payment_pages/:session/confirm",
    {"payment_method": Text(), "expected_amount": Integer(0), "email": Text()},
)
def confirm(call: Call) -> Body:
    """Complete a session with a payment method, which may be absent if nothing has to be paid."""
    session = fetch_from_url(SESSION, call.ids["session"], param="session")
    require_open(session)
    total = session["amount_total"] or 0
    if call.get("expected_amount", total) != total:
        raise ApiError(
            f"The expected amount does not match the session's total of {session['amount_total']}.",
            code="checkout_amount_mismatch",
            param="expected_amount",
        )
    method = _method_of(call, session)
    billing = (method or {"billing_details": {"email": None, "name": None, "address": {}}})["billing_details"]
    known = session["customer_email"] or (session["customer_details"] or {}).get("email")
    address = {key: value for key, value in billing["address"].items() if value}
    buyer = Buyer(
        email=call.get("email") or known or billing["email"] or "buyer@example.com",
        name=billing["name"],
        address={"country": "US"} | address,
        custom={field["key"]: _answer(field) for field in session["custom_fields"]},
    )
    attempt = pay_session(session, method, buyer)
    if attempt and attempt.error:
        raise attempt.error
    return session


def _answer(field: Body) -> str:
    """A value for a custom field, which a buyer would fill in."""
    details = field[field["type"]]
    if details["default_value"]:
        return str(details["default_value"])
    if field["type"] == "dropdown":
        return str(details["options"][0]["value"])
    return "1" * max(1, details["minimum_length"] or 1)


def _method_of(call: Call, session: Body) -> Body | None:
    if "payment_method" not in call.params:
        if session["mode"] == "setup" or (session["mode"] == "subscription" and needs_method(session)):
            raise missing_parameter("payment_method")
        if session["mode"] == "payment" and session["amount_total"]:
            raise missing_parameter("payment_method")
        return None
    method = resolve(call["payment_method"])
    check_owner("payment_intent", session["customer"], method)
    check_fresh(method)
    if method["type"] not in session["payment_method_types"]:
        raise ApiError(
            f"This Checkout Session does not accept payment methods of type {method['type']}.", param="payment_method"
        )
    return method
