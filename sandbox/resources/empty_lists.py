"""Collections this form of the sandbox never fills. Tools that mirror an account walk all of them."""

from sandbox.protocol.parameters import PAGING, Text
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

COLLECTIONS = (
    "application_fees", "coupons", "country_specs", "credit_notes", "disputes", "entitlements/active_entitlements",
    "entitlements/features", "file_links", "files", "identity/verification_reports",
    "identity/verification_sessions", "invoice_payments", "invoiceitems", "invoices", "issuing/authorizations",
    "issuing/cardholders", "issuing/cards", "issuing/disputes", "issuing/transactions", "payment_links", "payouts",
    "plans", "promotion_codes", "radar/early_fraud_warnings", "reviews", "setup_intents", "shipping_rates",
    "subscription_items", "subscription_schedules", "subscriptions", "tax_codes", "tax_ids", "tax_rates",
    "topups", "transfers",
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
