"""The fields of a Checkout Session and their values before it is paid (docs: "The Session object")."""

from typing import Any

from sandbox.store import Body

_NULL = (
    "after_expiration", "allow_promotion_codes", "amount_subtotal", "amount_total", "billing_address_collection",
    "branding_settings", "client_reference_id", "client_secret", "consent", "consent_collection", "currency",
    "currency_conversion", "customer_account", "customer_details", "customer_email", "integration_identifier",
    "invoice", "invoice_creation", "locale", "origin_context", "payment_intent", "payment_link",
    "payment_method_configuration_details", "permissions", "recovered_from", "saved_payment_method_options",
    "setup_intent", "shipping_address_collection", "shipping_cost", "submit_type", "subscription", "wallet_options",
    "customer", "customer_creation", "cancel_url", "success_url", "total_details",
)  # fmt: skip
NO_INVOICE: Body = {
    "enabled": False,
    "invoice_data": {
        "account_tax_ids": None,
        "custom_fields": None,
        "description": None,
        "footer": None,
        "issuer": None,
        "metadata": {},
        "rendering_options": None,
    },
}
TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")


def open_session(mode: str) -> Body:
    """Every field of a new session that does not depend on the parameters, and the sandbox's notes."""
    session: Body = {
        "object": "checkout.session",
        **dict.fromkeys(_NULL),
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "collected_information": {"business_name": None, "individual_name": None, "shipping_details": None},
        "custom_fields": [],
        "custom_text": dict.fromkeys(TEXTS),
        "discounts": None if mode == "setup" else [],
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": {},
        "mode": mode,
        "payment_method_collection": "if_required" if mode == "payment" else "always",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "ui_mode": "hosted_page",
        "_default_tax_rates": [],
        "_discount": None,
        "_line_items": [],
        "_place": None,
    }
    if mode != "subscription":
        session["customer_creation"] = "if_required"
    if mode == "payment":
        session["invoice_creation"] = NO_INVOICE
    return session


def known_customer_details(customer: Body, *, mode: str) -> Body:
    """The details that an open session shows of its given customer; without taxes where nothing is sold."""
    nothing: dict[str, Any] = dict.fromkeys(("address", "business_name", "individual_name", "name", "phone", "tax_ids"))
    return nothing | {"email": customer["email"], "tax_exempt": shown_exemption(customer, mode=mode)}


def shown_exemption(customer: Body, *, mode: str) -> str | None:
    """`tax_exempt` as a session shows it."""
    return None if mode == "setup" else customer.get("tax_exempt", "none")
