"""The kinds of object the sandbox has, and the calls that list, find and make them.

`{customer}`, `{price}` … in a form stand for ids of prepared objects; in a path, `query` or `narrowed`, for fields of
one of the ten thousand, so that every call asks for another object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Form = Mapping[str, str]

DOLLARS = {"amount": "2000", "currency": "usd"}
BY_CARD = {"confirm": "true", "payment_method": "pm_card_visa", "payment_method_types[]": "card"}
MONTHLY = {"currency": "usd", "unit_amount": "2000", "product": "{product}", "recurring[interval]": "month"}
AT_ONCE = {"capture_method": "automatic", "payment_method": "pm_card_bypassPending"}
LINE = {"line_items[0][price]": "{price}", "line_items[0][quantity]": "1"}
FUNDS = BY_CARD | AT_ONCE | {"amount": "50000000", "currency": "usd"}

# Sequences of calls that make what the other forms do not: cards, banks, disputes, people, invoices.
SEQUENCES = (
    "checkout.session.completed", "checkout.session.async_payment_succeeded", "charge.dispute.created",
    "radar.early_fraud_warning.created", "invoice.paid", "payout.created", "transfer.reversed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object: its address, and the form that makes a new one; none for kinds that arise by themselves.

    `query` is what its list requires, `narrowed` a filter that finds a few among all, `searched` the same as a search.
    `at` is the address of one object where it does not follow from the list's. With `is_made_at_each`, new objects are
    spread over many owners, because no account has two hundred banks.
    """

    name: str
    path: str
    form: Form | None = None
    query: str = ""
    narrowed: str = ""
    searched: str = ""
    at: str = ""
    is_listed: bool = True
    is_found: bool = True
    is_made_at_each: bool = False


KINDS = (
    Kind("customer", "customers", {"name": "Ada", "email": "ada@example.org", "metadata[order]": "7"},
         narrowed="email={email}", searched='email:"{email}"'),
    Kind("product", "products", {"name": "A place"}, narrowed="ids[]={id}", searched='name:"{id}"'),
    Kind("price", "prices", {"currency": "usd", "unit_amount": "2000", "product": "{product}"},
         narrowed="product={product}", searched='product:"{product}"'),
    Kind("coupon", "coupons", {"percent_off": "25", "duration": "once"}),
    Kind("promotion_code", "promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": "{coupon}"},
         narrowed="code={code}"),
    Kind("tax_rate", "tax_rates", {"display_name": "VAT", "percentage": "20", "inclusive": "false"}),
    Kind("shipping_rate", "shipping_rates", {"display_name": "Post", "type": "fixed_amount",
                                             "fixed_amount[amount]": "500", "fixed_amount[currency]": "usd"}),
    Kind("tax_id", "customers/{customer}/tax_ids", at="tax_ids/{id}"),
    Kind("customer_balance_transaction", "customers/{customer}/balance_transactions", DOLLARS),
    Kind("payment_method", "payment_methods", {"type": "card", "card[token]": "tok_visa"}, "customer={customer}"),
    Kind("payment_intent", "payment_intents", DOLLARS | BY_CARD, narrowed="customer={customer}",
         searched='customer:"{customer}"'),
    Kind("charge", "charges", DOLLARS | {"source": "tok_visa"}, narrowed="payment_intent={payment_intent}",
         searched='customer:"{customer}"'),
    Kind("refund", "refunds", {"charge": "{charge}", "amount": "1"}, narrowed="charge={charge}"),
    Kind("dispute", "disputes", narrowed="charge={charge}"),
    Kind("radar.early_fraud_warning", "radar/early_fraud_warnings", narrowed="charge={charge}"),
    Kind("setup_intent", "setup_intents", BY_CARD, narrowed="payment_method={payment_method}"),
    Kind("setup_attempt", "setup_attempts", query="setup_intent={setup_intent}", is_found=False),
    Kind("mandate", "mandates", is_listed=False),
    Kind("checkout.session", "checkout/sessions",
         {"mode": "payment", "success_url": "http://shop.example/done"} | LINE,
         narrowed="payment_intent={payment_intent}"),
    Kind("invoiceitem", "invoiceitems", {"customer": "{customer}"} | DOLLARS, narrowed="invoice={invoice}"),
    Kind("invoice", "invoices", {"customer": "{customer}"}, narrowed="customer={customer}",
         searched='customer:"{customer}"'),
    Kind("invoice_payment", "invoice_payments", narrowed="invoice={invoice}"),
    Kind("subscription", "subscriptions", {"customer": "{payer}", "items[0][price]": "{monthly}"},
         narrowed="customer={customer}", searched='metadata["of"]:"{id}"'),
    Kind("subscription_item", "subscription_items", query="subscription={subscription}"),
    Kind("balance_transaction", "balance_transactions", narrowed="source={source}"),
    Kind("event", "events", narrowed="type=charge.dispute.created"),
    Kind("file", "files"),
    Kind("file_link", "file_links", {"file": "{file}"}, narrowed="file={file}"),
    Kind("billing_portal.configuration", "billing_portal/configurations",
         {"features[invoice_history][enabled]": "true"}),
    Kind("billing_portal.session", "billing_portal/sessions", {"customer": "{payer}"}, is_listed=False, is_found=False),
    Kind("test_helpers.test_clock", "test_helpers/test_clocks", {"frozen_time": "1900000000"}),
    Kind("account", "accounts", {"type": "express", "country": "US"}),
    Kind("person", "accounts/{account}/persons", {"first_name": "Ada", "last_name": "Byron"}, is_made_at_each=True),
    Kind("bank_account", "accounts/{account}/external_accounts", {"external_account": "btok_us_verified"},
         is_made_at_each=True),
    Kind("transfer", "transfers", {"amount": "1", "currency": "usd", "destination": "{account}"},
         narrowed="destination={destination}"),
    Kind("transfer_reversal", "transfers/{transfer}/reversals", {"amount": "1"}),
    Kind("application_fee", "application_fees", narrowed="charge={charge}"),
    Kind("fee_refund", "application_fees/{fee}/refunds", {"amount": "1"}),
    Kind("topup", "topups", DOLLARS | {"description": "Funds", "statement_descriptor": "Funds"}),
    Kind("payout", "payouts", {"amount": "1", "currency": "usd"}),
    # Last, because every event looks up which endpoints listen.
    Kind("webhook_endpoint", "webhook_endpoints",
         {"url": "http://127.0.0.1:1/", "enabled_events[]": "topup.failed"}),
)  # fmt: skip
# Not objects of their own: the name of a session's line, and the content of a file.
INNER = {"item", "file_content"}

# The objects that the forms refer to, made in this order before anything is measured.
PREPARED: tuple[tuple[str, str, Form], ...] = (
    ("charge", "charges", DOLLARS | {"amount": "100000", "source": "tok_visa"}),
    ("product", "products", {"name": "A place"}),
    ("price", "prices", {"currency": "usd", "unit_amount": "2000", "product": "{product}"}),
    ("monthly", "prices", MONTHLY),
    ("coupon", "coupons", {"percent_off": "25", "duration": "once"}),
    ("customer", "customers", {"name": "Ada", "email": "ada@example.org"}),
    ("tax_id", "customers/{customer}/tax_ids", {"type": "eu_vat", "value": "DE123456789"}),
    ("payer", "customers", {"name": "Bea", "email": "bea@example.org"}),
    ("method", "payment_methods/pm_card_visa/attach", {"customer": "{payer}"}),
    ("payer", "customers/{payer}", {"invoice_settings[default_payment_method]": "{method}"}),
    ("paid", "payment_intents", DOLLARS | {"customer": "{payer}", "confirm": "true", "payment_method": "{method}",
                                           "payment_method_types[]": "card"}),
    ("transfer", "transfers", {"amount": "100000", "currency": "usd", "destination": "{account}"}),
    ("sold", "payment_intents", BY_CARD | AT_ONCE | {"amount": "200000", "currency": "usd",
                                                     "application_fee_amount": "100000",
                                                     "transfer_data[destination]": "{account}"}),
)  # fmt: skip
