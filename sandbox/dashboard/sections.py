"""The lists of the dashboard: their objects, columns and filters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.db.models import Exists, OuterRef, Q, QuerySet

from sandbox.dashboard.cells import (
    Cell,
    Column,
    at,
    code,
    itself,
    link,
    moment,
    moment_of,
    money,
    money_of,
    object_of,
    state,
    state_of,
    text,
    text_of,
)
from sandbox.dashboard.searching import Search, anything, by_contact, by_name, payments_by
from sandbox.models import StoredObject
from sandbox.store import Body

Narrowing = Callable[[QuerySet[StoredObject]], QuerySet[StoredObject]]


@dataclass(frozen=True)
class Section:
    """A list of objects of one kind; `filters` are the choices above it, `enrich` adds data that its columns need."""

    slug: str
    title: str
    kind: str
    columns: Sequence[Column]
    filters: Mapping[str, Narrowing] = field(default_factory=dict)
    search: Search = anything
    hint: str = ""
    enrich: Callable[[list[Body]], None] | None = None


def _with_status(*statuses: str) -> Narrowing:
    return lambda rows: rows.filter(status__in=statuses)


def _each(*statuses: str) -> dict[str, Narrowing]:
    return {status: _with_status(status) for status in statuses}


def _with_charge(condition: Q) -> Narrowing:
    charges = StoredObject.objects.filter(condition, kind="charge", payment_intent=OuterRef("object_id"))
    return lambda rows: rows.filter(Exists(charges))


def _active(rows: QuerySet[StoredObject], *, is_active: bool) -> QuerySet[StoredObject]:
    return rows.filter(body__active=is_active)


ACTIVE: Mapping[str, Narrowing] = {
    "active": partial(_active, is_active=True),
    "archived": partial(_active, is_active=False),
}


def add_charges(intents: list[Body]) -> None:
    """Add to each payment its latest charge, in one query."""
    ids = [intent.get("latest_charge") for intent in intents if intent.get("latest_charge")]
    charges = dict(StoredObject.objects.filter(object_id__in=ids).values_list("object_id", "body"))
    for intent in intents:
        intent["_charge"] = charges.get(intent.get("latest_charge") or "")


def payment_state(intent: Body) -> Cell:
    """The state of a payment: refunds and disputes take precedence over success."""
    charge = intent.get("_charge") or {}
    if charge.get("disputed"):
        return state_of("disputed")
    if charge.get("status") == "succeeded" and charge.get("amount_refunded") and charge.get("captured"):
        return state_of("refunded" if charge.get("refunded") else "partially refunded")
    if intent.get("status") == "requires_payment_method" and charge.get("status") == "failed":
        return state_of("failed")
    return state_of(intent.get("status"))


def _price_of(price: Body) -> Cell:
    amount = money_of(price.get("unit_amount"), price.get("currency"))
    interval = at(price, "recurring.interval")
    return Cell(f"{amount.text} / {interval}", look="money") if interval else amount


def _discount_of(coupon: Body) -> Cell:
    if coupon.get("percent_off") is not None:
        return Cell(f"{coupon['percent_off']:g} % off")
    return Cell(f"{money_of(coupon.get('amount_off'), coupon.get('currency')).text} off")


def _subject_of(event: Body) -> Cell:
    return object_of(at(event, "data.object.id"))


def _account_state(account: Body) -> Cell:
    if account.get("charges_enabled") and account.get("payouts_enabled"):
        return state_of("enabled")
    return state_of("restricted" if account.get("details_submitted") else "incomplete")


def _lookup_or_nickname(price: Body) -> Cell:
    return text_of(price.get("nickname") or price.get("lookup_key"))


def buyer_of(body: Body) -> Cell:
    """The buyer: the customer, or the email address that a guest gave."""
    if body.get("customer"):
        return object_of(body["customer"])
    places = ("_charge.billing_details.email", "billing_details.email", "customer_details.email", "customer_email",
              "receipt_email")  # fmt: skip
    return text_of(next((at(body, place) for place in places if at(body, place)), None))


BUYER = Column("Customer", buyer_of)
PAYMENT = Column("Payment", lambda intent: object_of(intent.get("id"), intent.get("description") or ""))

SECTIONS: tuple[Section, ...] = (
    Section(
        "payments",
        "Payments",
        "payment_intent",
        (money("Amount"), Column("Status", payment_state), PAYMENT, BUYER, moment()),
        {
            **_each("succeeded", "processing", "requires_action", "requires_capture", "requires_payment_method", "canceled"),
            "refunded": _with_charge(Q(body__refunded=True, body__captured=True)),
            "partially refunded": _with_charge(Q(body__amount_refunded__gt=0, body__refunded=False)),
            "disputed": _with_charge(Q(body__disputed=True)),
        },
        payments_by,
        "Id, customer, email, description or amount",
        add_charges,
    ),
    Section(
        "charges", "Charges", "charge",
        (money("Amount"), state(), itself("Charge"), link("Payment", "payment_intent"), BUYER, moment()),
        _each("succeeded", "pending", "failed"), payments_by, "Id, customer, email or amount",
    ),
    Section(
        "refunds", "Refunds", "refund",
        (money("Amount"), state(), itself("Refund"), text("Reason", "reason"), link("Charge", "charge"), moment()),
        _each("succeeded", "pending", "failed", "canceled"), payments_by, "Id or amount",
    ),
    Section(
        "disputes", "Disputes", "dispute",
        (money("Amount"), state(), text("Reason", "reason"), itself("Dispute"), link("Charge", "charge"),
         moment("Answer by", "evidence_details.due_by"), moment()),
        _each("needs_response", "under_review", "won", "lost", "warning_needs_response", "warning_under_review",
              "warning_closed"), payments_by, "Id or amount",
    ),
    Section(
        "checkouts", "Checkout sessions", "checkout.session",
        (Column("Amount", lambda body: money_of(body.get("amount_total"), body.get("currency"))), state(),
         text("Mode", "mode"), itself("Session"), BUYER, moment()),
        _each("open", "complete", "expired"),
    ),
    Section(
        "customers", "Customers", "customer",
        (Column("Customer", lambda body: object_of(body.get("id"), body.get("name") or body.get("email") or "")),
         text("Email", "email"), code("Id", "id"), moment()),
        search=by_contact, hint="Id, name or email",
    ),
    Section(
        "subscriptions", "Subscriptions", "subscription",
        (itself("Subscription"), state(), link("Customer", "customer"), link("Latest invoice", "latest_invoice"),
         text("Ends with the period", "cancel_at_period_end"), moment()),
        _each("active", "trialing", "past_due", "unpaid", "incomplete", "paused", "canceled", "incomplete_expired"),
    ),
    Section(
        "invoices", "Invoices", "invoice",
        (money("Total", "total"), state(), Column("Invoice", lambda body: object_of(body.get("id"), body.get("number") or "")),
         link("Customer", "customer"), money("Remaining", "amount_remaining"), moment()),
        _each("draft", "open", "paid", "uncollectible", "void"),
    ),
    Section(
        "products", "Products", "product",
        (Column("Product", lambda body: object_of(body.get("id"), body.get("name") or "")), text("Active", "active"),
         link("Default price", "default_price"), moment()),
        ACTIVE, by_name, "Id or name",
    ),
    Section(
        "prices", "Prices", "price",
        (Column("Price", _price_of), itself("Id"), link("Product", "product"), Column("Name", _lookup_or_nickname),
         text("Active", "active"), moment()),
        ACTIVE,
    ),
    Section(
        "coupons", "Coupons", "coupon",
        (Column("Coupon", lambda body: object_of(body.get("id"), body.get("name") or body.get("id") or "")),
         Column("Discount", _discount_of), text("Duration", "duration"), text("Redeemed", "times_redeemed"),
         text("Valid", "valid"), moment()),
        search=by_name, hint="Id or name",
    ),
    Section(
        "promotion-codes", "Promotion codes", "promotion_code",
        (Column("Code", lambda body: object_of(body.get("id"), body.get("code") or "")), link("Coupon", "promotion.coupon"),
         link("Customer", "customer"), text("Redeemed", "times_redeemed"), text("Active", "active"), moment()),
        ACTIVE, by_name, "Id or code",
    ),
    Section(
        "movements", "Balance transactions", "balance_transaction",
        (money("Amount"), money("Fee", "fee"), money("Net", "net"), itself("Type", "type"), state(),
         link("Source", "source"), moment("Available", "available_on"), moment()),
        _each("available", "pending"),
    ),
    Section(
        "payouts", "Payouts", "payout",
        (money("Amount"), state(), itself("Payout"), text("Automatic", "automatic"), text("Failure", "failure_code"),
         moment("Arrives", "arrival_date"), moment()),
        _each("pending", "in_transit", "paid", "failed", "canceled"),
    ),
    Section(
        "accounts", "Connected accounts", "account",
        (Column("Account", lambda body: object_of(body.get("id"))), text("Email", "email"), text("Country", "country"),
         Column("State", _account_state), text("Disabled because", "requirements.disabled_reason"), moment()),
        search=by_contact, hint="Id or email",
    ),
    Section(
        "transfers", "Transfers", "transfer",
        (money("Amount"), money("Reversed", "amount_reversed"), itself("Transfer"), link("To", "destination"),
         link("From charge", "source_transaction"), moment()),
        search=payments_by, hint="Id or amount",
    ),
    Section(
        "application-fees", "Application fees", "application_fee",
        (money("Amount"), money("Refunded", "amount_refunded"), itself("Fee"), link("Account", "account"),
         link("Charge", "originating_transaction"), moment()),
    ),
    Section(
        "events", "Events", "event",
        (Column("Event", lambda body: object_of(body.get("id"), body.get("type") or "")), Column("About", _subject_of),
         code("Id", "id"), moment()),
    ),
    Section(
        "endpoints", "Webhook endpoints", "webhook_endpoint",
        (Column("Endpoint", lambda body: object_of(body.get("id"), body.get("url") or "")), state(),
         Column("Listens to", lambda body: text_of(", ".join(body.get("enabled_events") or ())[:80])),
         text("Description", "description"), moment()),
        _each("enabled", "disabled"),
    ),
    Section(
        "test-clocks", "Test clocks", "test_helpers.test_clock",
        (Column("Clock", lambda body: object_of(body.get("id"), body.get("name") or "")), state(),
         moment("Time", "frozen_time"), moment("Deleted after", "deletes_after"), moment()),
    ),
    Section(
        "setups", "Setup intents", "setup_intent",
        (itself("Setup intent"), state(), text("Usage", "usage"), link("Customer", "customer"),
         link("Payment method", "payment_method"), moment()),
    ),
)  # fmt: skip
BY_SLUG = {section.slug: section for section in SECTIONS}
BY_KIND = {section.kind: section for section in SECTIONS}


def section_of(kind: str) -> Section:
    """The section of a kind, or a generic one with the common columns."""
    plain = (itself("Id"), state(), link("Customer", "customer"), moment())
    return BY_KIND.get(kind) or Section(kind, kind, kind, plain)


def created_cell(body: Body) -> Cell:
    return moment_of(body.get("created"))
