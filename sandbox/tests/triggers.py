"""For each event, a sequence of calls that triggers it, over plain HTTP with the published names.

A step refers to an earlier answer as `{label.field}`. The label `~5` advances the clock by five seconds.
"""

import re
from typing import Any

DAY = 24 * 3600
Step = tuple[str, str, dict[str, str]]

CUSTOMER: Step = ("customer", "customers", {"description": "Ada"})
INTENT = {"amount": "2000", "currency": "usd", "payment_method_types[]": "card"}
SHOP: list[Step] = [
    ("product", "products", {"name": "thing", "description": "made for this"}),
    ("price", "prices", {"product": "{product.id}", "unit_amount": "1500", "currency": "usd"}),
    (
        "session",
        "checkout/sessions",
        {
            "mode": "payment",
            "success_url": "https://shop.example/done",
            "cancel_url": "https://shop.example/cart",
            "line_items[0][price]": "{price.id}",
            "line_items[0][quantity]": "2",
            "payment_method_types[]": "card",
        },
    ),
    ("page", "GET payment_pages/{session.id}", {}),
]
BANK_SHOP: list[Step] = [
    *SHOP[:1],
    ("price", "prices", {"product": "{product.id}", "unit_amount": "1500", "currency": "eur"}),
    ("session", "checkout/sessions", SHOP[2][2] | {"payment_method_types[]": "sepa_debit"}),
]
BANK_CUSTOMER = {"billing_details[email]": "ada@example.org", "billing_details[name]": "Ada"}


def paid_with(alias: str, **changes: str) -> list[Step]:
    """A confirmed intent; with a method that declines, the answer is 402."""
    form = INTENT | {"confirm": "true", "payment_method": alias} | changes
    return [("intent", "payment_intents", form)]


def paid_page(label: str, method: dict[str, str]) -> list[Step]:
    """A checkout page paid with a new method."""
    confirm = {"payment_method": "{method.id}", "expected_amount": "3000"}
    return [("method", "payment_methods", method), (label, "payment_pages/{session.id}/confirm", confirm)]


CARD = {"type": "card", "card[token]": "tok_visa", **BANK_CUSTOMER}
FUNDS = paid_with("pm_card_bypassPending", capture_method="automatic")
SAVED: list[Step] = [
    CUSTOMER,
    ("method", "payment_methods/pm_card_visa/attach", {"customer": "{customer.id}"}),
    (
        "customer",
        "customers/{customer.id}",
        {"invoice_settings[default_payment_method]": "{method.id}"},
    ),
]
SUBSCRIBED: list[Step] = [
    *SAVED,
    SHOP[0],
    (
        "price",
        "prices",
        {"product": "{product.id}", "unit_amount": "1500", "currency": "usd", "recurring[interval]": "month"},
    ),
    ("subscription", "subscriptions", {"customer": "{customer.id}", "items[0][price]": "{price.id}"}),
]
ACCOUNT: list[Step] = [
    (
        "account",
        "accounts",
        {
            "type": "custom",
            "country": "US",
            "business_type": "individual",
            "capabilities[transfers][requested]": "true",
            "capabilities[card_payments][requested]": "true",
            "business_profile[mcc]": "5734",
            "business_profile[url]": "https://ada.example.org",
            "individual[first_name]": "Ada",
            "individual[last_name]": "Byron",
            "individual[email]": "ada@example.org",
            "individual[phone]": "+15555550101",
            "individual[dob][day]": "10",
            "individual[dob][month]": "12",
            "individual[dob][year]": "1985",
            "individual[address][line1]": "1 Main Street",
            "individual[address][city]": "Springfield",
            "individual[address][state]": "IL",
            "individual[address][postal_code]": "62701",
            "individual[ssn_last_4]": "0000",
            "external_account": "btok_us_verified",
            "tos_acceptance[date]": "1790000000",
            "tos_acceptance[ip]": "192.0.2.1",
        },
    ),
    ("~5", "", {}),
]
DISPUTED: list[Step] = [*paid_with("pm_card_createDispute"), ("~10", "", {}), ("disputes", "GET disputes", {})]
WINNING = {"evidence[uncategorized_text]": "winning_evidence", "submit": "true"}
BILLED: list[Step] = [
    *SAVED,
    ("item", "invoiceitems", {"customer": "{customer.id}", "amount": "2000", "currency": "usd"}),
    ("invoice", "invoices", {"customer": "{customer.id}", "pending_invoice_items_behavior": "include"}),
]
SENT: list[Step] = [
    *ACCOUNT,
    *FUNDS,
    ("transfer", "transfers", {"amount": "400", "currency": "usd", "destination": "{account.id}"}),
]
TRIGGERS: dict[str, list[Step]] = {
    "checkout.session.completed": [*SHOP, *paid_page("page", CARD)],
    "checkout.session.expired": [*SHOP, ("expired", "checkout/sessions/{session.id}/expire", {})],
    "checkout.session.async_payment_succeeded": [
        *BANK_SHOP,
        *paid_page("page", {"type": "sepa_debit", "sepa_debit[iban]": "AT611904300234573201", **BANK_CUSTOMER}),
        ("~10", "", {}),
    ],
    "checkout.session.async_payment_failed": [
        *BANK_SHOP,
        *paid_page("page", {"type": "sepa_debit", "sepa_debit[iban]": "IT60X0542811101000000123456", **BANK_CUSTOMER}),
        ("~10", "", {}),
    ],
    "payment_intent.created": [("intent", "payment_intents", INTENT)],
    "payment_intent.succeeded": paid_with("pm_card_visa"),
    "payment_intent.payment_failed": paid_with("pm_card_chargeDeclined"),
    "payment_intent.requires_action": paid_with("pm_card_threeDSecure2Required"),
    "payment_intent.amount_capturable_updated": paid_with("pm_card_visa", capture_method="manual"),
    "payment_intent.canceled": [
        ("intent", "payment_intents", INTENT),
        ("intent", "payment_intents/{intent.id}/cancel", {"cancellation_reason": "requested_by_customer"}),
    ],
    "charge.succeeded": [
        CUSTOMER,
        ("charge", "charges", {"amount": "100", "currency": "usd", "source": "tok_visa", "description": "thing"}),
    ],
    "charge.failed": paid_with("pm_card_chargeDeclined"),
    "charge.captured": [
        *paid_with("pm_card_visa", capture_method="manual"),
        ("intent", "payment_intents/{intent.id}/capture", {}),
    ],
    "charge.refunded": [*paid_with("pm_card_visa"), ("refund", "refunds", {"charge": "{intent.latest_charge}"})],
    "charge.refund.updated": [
        *paid_with("pm_card_visa"),
        ("refund", "refunds", {"charge": "{intent.latest_charge}"}),
        ("refund", "refunds/{refund.id}", {"metadata[why]": "changed"}),
    ],
    "refund.created": [*paid_with("pm_card_visa"), ("refund", "refunds", {"payment_intent": "{intent.id}"})],
    "refund.updated": [
        *paid_with("pm_card_pendingRefund"),
        ("refund", "refunds", {"payment_intent": "{intent.id}"}),
        ("~10", "", {}),
    ],
    "refund.failed": [
        *paid_with("pm_card_refundFail"),
        ("refund", "refunds", {"payment_intent": "{intent.id}"}),
        ("~10", "", {}),
    ],
    "charge.dispute.created": DISPUTED,
    "charge.dispute.funds_withdrawn": DISPUTED,
    "charge.dispute.updated": [*DISPUTED, ("dispute", "disputes/{disputes.data.0.id}", WINNING)],
    "charge.dispute.closed": [*DISPUTED, ("dispute", "disputes/{disputes.data.0.id}/close", {})],
    "charge.dispute.funds_reinstated": [
        *DISPUTED,
        ("dispute", "disputes/{disputes.data.0.id}", WINNING),
        (f"~{90 * DAY}", "", {}),
    ],
    "radar.early_fraud_warning.created": [*paid_with("pm_card_createIssuerFraudRecord"), ("~10", "", {})],
    "customer.created": [CUSTOMER],
    "customer.updated": [CUSTOMER, ("customer", "customers/{customer.id}", {"metadata[a]": "b"})],
    "customer.deleted": [CUSTOMER, ("customer", "DELETE customers/{customer.id}", {})],
    "payment_method.attached": SAVED[:2],
    "payment_method.detached": [*SAVED[:2], ("method", "payment_methods/{method.id}/detach", {})],
    "setup_intent.succeeded": [
        (
            "setup",
            "setup_intents",
            {"confirm": "true", "payment_method": "pm_card_visa", "payment_method_types[]": "card"},
        )
    ],
    "setup_intent.setup_failed": [
        (
            "setup",
            "setup_intents",
            {"confirm": "true", "payment_method": "pm_card_chargeDeclined", "payment_method_types[]": "card"},
        )
    ],
    "invoice.created": BILLED,
    "invoice.finalized": [*BILLED, ("invoice", "invoices/{invoice.id}/finalize", {})],
    "invoice.paid": [*BILLED, ("invoice", "invoices/{invoice.id}/pay", {})],
    "invoice.payment_succeeded": [*BILLED, ("invoice", "invoices/{invoice.id}/pay", {})],
    "invoice.payment_failed": [
        *BILLED,
        ("method", "payment_methods/pm_card_chargeCustomerFail/attach", {"customer": "{customer.id}"}),
        ("invoice", "invoices/{invoice.id}/pay", {"payment_method": "{method.id}"}),
    ],
    "invoice.voided": [
        *BILLED,
        ("invoice", "invoices/{invoice.id}/finalize", {"auto_advance": "false"}),
        ("invoice", "invoices/{invoice.id}/void", {}),
    ],
    "invoice.deleted": [*BILLED, ("invoice", "DELETE invoices/{invoice.id}", {})],
    "customer.subscription.created": SUBSCRIBED,
    "customer.subscription.updated": [
        *SUBSCRIBED,
        ("subscription", "subscriptions/{subscription.id}", {"metadata[a]": "b"}),
    ],
    "customer.subscription.deleted": [*SUBSCRIBED, ("subscription", "DELETE subscriptions/{subscription.id}", {})],
    "coupon.created": [("coupon", "coupons", {"percent_off": "25", "duration": "once"})],
    "promotion_code.created": [
        ("coupon", "coupons", {"percent_off": "25", "duration": "once"}),
        ("code", "promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": "{coupon.id}"}),
    ],
    "account.updated": [
        *ACCOUNT,
        ("account", "accounts/{account.id}", {"metadata[a]": "b"}),
    ],
    "transfer.created": SENT,
    "transfer.updated": [*SENT, ("transfer", "transfers/{transfer.id}", {"metadata[a]": "b"})],
    "transfer.reversed": [*SENT, ("reversal", "transfers/{transfer.id}/reversals", {})],
    "payout.created": [*SENT, ("payout", "payouts @{account.id}", {"amount": "100", "currency": "usd"})],
    "payout.paid": [
        *SENT,
        ("payout", "payouts @{account.id}", {"amount": "100", "currency": "usd"}),
        (f"~{8 * DAY}", "", {}),
    ],
    "payout.canceled": [
        *SENT,
        ("payout", "payouts @{account.id}", {"amount": "100", "currency": "usd"}),
        ("payout", "payouts/{payout.id}/cancel @{account.id}", {}),
    ],
    "balance.available": [*paid_with("pm_card_visa"), (f"~{8 * DAY}", "", {})],
}


def pull(sandbox: Any, name: str) -> None:
    """Make the calls of one sequence; each must succeed or be declined."""
    made: dict[str, Any] = {}
    for label, path, form in TRIGGERS[name]:
        if label.startswith("~"):
            sandbox.advance(float(label[1:]))
            continue
        answer = _called(sandbox, path, {name: _filled(value, made) for name, value in form.items()}, made)
        assert answer.status_code in (200, 402), answer.text
        made[label] = answer.json()
    sandbox.drain()


def waiting_time(name: str) -> float:
    """How many seconds a sequence advances the clock."""
    return sum(float(label[1:]) for label, _, _ in TRIGGERS[name] if label.startswith("~"))


def _called(sandbox: Any, path: str, form: dict[str, str], made: dict[str, Any]) -> Any:
    words = _filled(path, made).split()
    method = words.pop(0) if words[0].isupper() else "POST"
    headers = {"Stripe-Account": words[1][1:]} if len(words) > 1 else {}
    return sandbox.http.request(
        method, f"{sandbox.url}/v1/{words[0]}", data=form if method == "POST" else None, headers=headers, timeout=30
    )


def _filled(text: str, made: dict[str, Any]) -> str:
    """The text with placeholders such as `{intent.latest_charge}` replaced from earlier answers."""

    def found(match: re.Match[str]) -> str:
        value: Any = made
        for name in match.group(1).split("."):
            value = value[int(name)] if isinstance(value, list) else value[name]
        return str(value)

    return re.sub(r"\{([a-z_.0-9]+)\}", found, text)
