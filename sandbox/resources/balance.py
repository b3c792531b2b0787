"""The balance (docs: "The Balance object")."""

from sandbox.payments.balance import current_balance
from sandbox.protocol.routing import Call, route
from sandbox.store import Body


@route("GET", "/v1/balance")
def retrieve(_: Call) -> Body:
    return current_balance()
