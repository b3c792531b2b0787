"""Create and update customers."""

import re
from typing import Any

from sandbox import clock, identifiers, store
from sandbox.payments.methods import EMPTY_ADDRESS
from sandbox.protocol.errors import ApiError
from sandbox.store import Body
from sandbox.webhooks.events import emit

PREFIX = re.compile(r"[A-Z0-9]{3,12}")
_NULL = (
    "address", "currency", "customer_account", "default_source", "description", "discount", "email", "name", "phone", "shipping",
    "test_clock",
)  # fmt: skip


def create_customer(**fields: Any) -> Body:
    """Create a customer; emits customer.created."""
    _check(fields)
    customer: Body = {
        "id": identifiers.new_id("cus_", 14),
        "object": "customer",
        **dict.fromkeys(_NULL),
        "balance": 0,
        "created": clock.now(),
        "delinquent": False,
        "invoice_prefix": identifiers.token(8).upper(),
        "livemode": False,
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
        **fields,
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None}
        | {"rendering_options": None}
        | fields.get("invoice_settings", {}),
    }
    store.insert(customer)
    emit("customer.created", customer)
    return customer


def update_customer(customer: Body, change: Body) -> Body:
    """Update a customer; emits customer.updated if a value changed."""
    _check(change)
    previous = {name: customer.get(name) for name in change if customer.get(name) != change[name]}
    if previous:
        customer |= change
        store.save(customer)
        emit("customer.updated", customer, previous={n: v for n, v in previous.items() if not n.startswith("_")})
    return customer


def _check(fields: Body) -> None:
    email = fields.get("email")
    if email and "@" not in email:
        raise ApiError(f"Invalid email address: {email}", code="email_invalid", param="email")
    if "invoice_prefix" in fields and not PREFIX.fullmatch(fields["invoice_prefix"]):
        raise ApiError(
            "Invoice prefixes must be 3 to 12 characters long and contain only uppercase letters and numbers.",
            param="invoice_prefix",
        )


def complete_address(given: Body | None) -> Body | None:
    """An address with all of Stripe's keys."""
    return EMPTY_ADDRESS | given if given else None


def check_default_method(customer: Body, method_id: str) -> None:
    """Raise Stripe's 400 if the new default method is not attached to the customer."""
    method = store.find("payment_method", method_id)
    if method is None or method["customer"] != customer["id"]:
        raise ApiError(
            f"The customer does not have a payment method with the ID {method_id}. The payment method must be "
            "attached to the customer.",
            code="resource_missing",
            param="invoice_settings[default_payment_method]",
        )
