"""Paying a hosted page over HTTP with the secret key: what Stripe's own command-line tool does in its fixtures."""

from sandbox.checkout.sessions import Buyer, pay_session, require_open
from sandbox.payments.methods import resolve
from sandbox.protocol.errors import ApiError
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
    required=("payment_method",),
)
def confirm(call: Call) -> Body:
    session = fetch_from_url(SESSION, call.ids["session"], param="session")
    require_open(session)
    if call.get("expected_amount", session["amount_total"]) != session["amount_total"]:
        raise ApiError(
            f"The expected amount does not match the session's total of {session['amount_total']}.",
            code="checkout_amount_mismatch",
            param="expected_amount",
        )
    method = resolve(call["payment_method"])
    billing = method["billing_details"]
    email = call.get("email") or billing["email"] or session["customer_email"] or "buyer@example.com"
    buyer = Buyer(email=email, name=billing["name"], country=billing["address"]["country"] or "US")
    attempt = pay_session(session, method, buyer)
    if attempt and attempt.error:
        raise attempt.error
    return session
