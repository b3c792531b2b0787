"""The API's resources, one module each. Importing this package registers every route."""

from sandbox.resources import (
    account,
    balance,
    balance_transactions,
    charges,
    checkout_sessions,
    customers,
    empty_lists,
    events,
    payment_intents,
    payment_methods,
    payment_pages,
    prices,
    products,
    refunds,
    webhook_endpoints,
)

__all__ = [
    "account",
    "balance",
    "balance_transactions",
    "charges",
    "checkout_sessions",
    "customers",
    "empty_lists",
    "events",
    "payment_intents",
    "payment_methods",
    "payment_pages",
    "prices",
    "products",
    "refunds",
    "webhook_endpoints",
]
