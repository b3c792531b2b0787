"""Attempts of a setup intent: one per confirmation, updated after its authentication."""

from sandbox import clock, identifiers, store
from sandbox.payments.card_outcomes import AUTHENTICATED
from sandbox.store import Body

_CARD_FIELDS = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")


def record_attempt(
    intent: Body, method: Body, *, status: str, authenticated: bool = False, error: Body | None = None
) -> None:
    """Record the outcome of the current confirmation; sets the intent's `latest_attempt`. The caller stores it."""
    waiting = store.find("setup_attempt", intent["latest_attempt"] or "")
    change = {
        "payment_method_details": _details(method, authenticated=authenticated),
        "setup_error": error,
        "status": status,
    }
    if waiting and waiting["status"] == "requires_action":
        store.save(waiting | change)
        return
    attempt: Body = {
        "id": identifiers.new_id("setatt_1", 23),
        "object": "setup_attempt",
        "application": None,
        "created": clock.now(),
        "customer": intent["customer"],
        "customer_account": None,
        "flow_directions": intent["flow_directions"],
        "livemode": False,
        "on_behalf_of": intent["on_behalf_of"],
        "payment_method": method["id"],
        "setup_intent": intent["id"],
        "usage": intent["usage"],
        **change,
    }
    store.insert(attempt)
    intent["latest_attempt"] = attempt["id"]


def _details(method: Body, *, authenticated: bool) -> Body:
    kind = method["type"]
    if kind != "card":
        return {kind: {}, "type": kind}
    card = {name: method["card"][name] for name in _CARD_FIELDS} | {"network": method["card"]["brand"]}
    three_d_secure = AUTHENTICATED | {"transaction_id": identifiers.token(32)} if authenticated else None
    return {"card": card | {"three_d_secure": three_d_secure}, "type": "card"}
