"""Lists that are always empty in the sandbox, for tools that mirror an account and list every resource."""

from sandbox.protocol.parameters import PAGING, Text
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

COLLECTIONS = (
    "country_specs", "credit_notes", "entitlements/active_entitlements",
    "entitlements/features", "identity/verification_reports",
    "identity/verification_sessions", "issuing/authorizations",
    "issuing/cardholders", "issuing/cards", "issuing/disputes", "issuing/transactions", "payment_links",
    "reviews",
    "subscription_schedules", "tax_codes",
)  # fmt: skip
FILTERS = {name: Text() for name in (
    "customer", "object", "status", "subscription", "charge", "payment_intent", "active", "code", "invoice",
    "destination", "type", "price", "product", "created", "coupon", "owner",
)}  # fmt: skip


def _answer_empty(path: str) -> None:
    @route("GET", path, {**FILTERS, **PAGING})
    def answer(_: Call) -> Body:
        return {"object": "list", "data": [], "has_more": False, "url": path}


for _name in COLLECTIONS:
    _answer_empty(f"/v1/{_name}")
