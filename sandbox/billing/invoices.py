"""Invoices: the functions that subscriptions, Checkout and the API use.

A draft is made and filled here; `finalize_invoice` numbers it, `pay_invoice` collects it, and then it is paid, voided
or written off. Amounts are minor units. Bodies passed in are changed in place and stored.
"""

from collections.abc import Sequence

from sandbox import clock, identifiers, store
from sandbox.billing import clocks, invoice_items
from sandbox.billing.credit import balance_of
from sandbox.billing.credited_items import name_credited_lines
from sandbox.billing.invoice_ending import delete_draft, mark_uncollectible, send_invoice, void_invoice
from sandbox.billing.invoice_finalizing import DAY, HOUR, finalize_invoice, take_customer_details
from sandbox.billing.invoice_lines import item_line, new_line, subscription_line
from sandbox.billing.invoice_paying import InvoiceAttempt, pay_invoice, subscription_of
from sandbox.billing.invoice_settling import Outcome, follow_intent, on_invoice_settled, refresh, stop_collecting
from sandbox.billing.invoice_totals import recalculate
from sandbox.options import options
from sandbox.protocol import origin
from sandbox.protocol.errors import ApiError
from sandbox.protocol.listing import as_list
from sandbox.store import Body
from sandbox.webhooks.events import emit

__all__ = [
    "DAY",
    "HOUR",
    "InvoiceAttempt",
    "Outcome",
    "add_line",
    "automatic_tax_of",
    "build_invoice",
    "create_invoice",
    "delete_draft",
    "finalize_invoice",
    "follow_intent",
    "item_line",
    "mark_uncollectible",
    "new_line",
    "on_invoice_settled",
    "pay_invoice",
    "pull_pending_items",
    "refresh",
    "send_invoice",
    "stop_collecting",
    "subscription_line",
    "subscription_of",
    "void_invoice",
]
DEFAULT_DAYS_UNTIL_DUE = 30
_NULL = (
    "account_tax_ids", "application", "automatically_finalizes_at", "custom_fields", "customer_account",
    "customer_address", "customer_email", "customer_name", "customer_phone", "customer_shipping",
    "default_payment_method", "default_source", "description", "due_date", "effective_at", "ending_balance", "footer",
    "from_invoice", "hosted_invoice_url", "invoice_pdf", "last_finalization_error", "latest_revision",
    "next_payment_attempt", "number", "on_behalf_of", "parent", "receipt_number", "rendering", "shipping_cost",
    "shipping_details", "statement_descriptor", "test_clock",
)  # fmt: skip
_ZERO = (
    "amount_due", "amount_overpaid", "amount_paid", "amount_remaining", "amount_shipping", "attempt_count",
    "post_payment_credit_notes_amount", "pre_payment_credit_notes_amount", "starting_balance", "subtotal",
    "subtotal_excluding_tax", "total", "total_excluding_tax",
)  # fmt: skip


def create_invoice(  # noqa: PLR0913 -- the facts of an invoice
    customer: Body,
    *,
    currency: str,
    billing_reason: str,
    collection_method: str = "charge_automatically",
    lines: Sequence[Body] = (),
    subscription: Body | None = None,
    period_start: int | None = None,
    period_end: int | None = None,
    auto_advance: bool = False,
    default_payment_method: str | None = None,
    days_until_due: int | None = None,
    due_date: int | None = None,
    description: str | None = None,
    metadata: Body | None = None,
    discounts: Sequence[str] = (),
    default_tax_rates: Sequence[Body] = (),
    automatic_tax: bool = False,
    includes_pending: bool = False,
    test_clock: str | None = None,
    **fields: object,
) -> Body:
    """A stored draft; emits invoice.created.

    `lines` come from `subscription_line` and the like, `discounts` are ids of discounts granted already,
    `default_tax_rates` are whole tax rates. `includes_pending` adds the customer's pending invoice items. With
    `auto_advance` the draft is finalized, and charged or sent, automatically an hour later.
    """
    with clocks.time_of(customer):
        invoice = build_invoice(
            customer,
            currency=currency,
            billing_reason=billing_reason,
            collection_method=collection_method,
            lines=lines,
            subscription=subscription,
            period_start=period_start,
            period_end=period_end,
            default_payment_method=default_payment_method,
            description=description,
            metadata=dict(metadata or {}),
            discounts=list(discounts),
            default_tax_rates=list(default_tax_rates),
            automatic_tax=automatic_tax,
            auto_advance=auto_advance,
            test_clock=test_clock or customer.get("test_clock"),
            **fields,
        )
        invoice["_made_in"] = origin.current().request_id
        if collection_method == "send_invoice":
            _set_due(invoice, days_until_due, due_date)
        store.insert(invoice)
        if includes_pending:
            pull_pending_items(invoice)
        plan_finalization(invoice)
        store.save(invoice)
        emit("invoice.created", invoice)
    return invoice


def build_invoice(  # noqa: PLR0913 -- the facts of an invoice
    customer: Body,
    *,
    currency: str,
    billing_reason: str,
    lines: Sequence[Body] = (),
    subscription: Body | None = None,
    period_start: int | None = None,
    period_end: int | None = None,
    automatic_tax: bool = False,
    **fields: object,
) -> Body:
    """A draft with every field and amount, not stored: previews use it as it is."""
    invoice_id, now = identifiers.new_id("in_1", 23), clock.now()
    invoice: Body = {
        "id": invoice_id,
        "object": "invoice",
        **dict.fromkeys(_NULL),
        **dict.fromkeys(_ZERO, 0),
        "account_country": options().account_country,
        "account_name": _account_name(),
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": automatic_tax_of(is_enabled=automatic_tax),
        "billing_reason": billing_reason,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": customer["id"],
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [],
        "issuer": {"type": "self"},
        "lines": as_list([], url=f"/v1/invoices/{invoice_id}/lines"),
        "livemode": False,
        "metadata": {},
        "parent": _parent(subscription),
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": now if period_end is None else period_end,
        "period_start": now if period_start is None else period_start,
        "status": "draft",
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        "webhooks_delivered_at": now,
        **fields,
    }
    take_customer_details(invoice, customer)
    _append(invoice, lines)
    return recalculate(invoice, balance=balance_of(customer, currency))


def _account_name() -> str | None:
    account = store.find("account", store.acting_account()) or {}
    name: str | None = (account.get("business_profile") or {}).get("name")
    return name


def automatic_tax_of(*, is_enabled: bool) -> Body:
    """`automatic_tax` of an invoice; its status is set with the totals."""
    return {
        "disabled_reason": None,
        "enabled": is_enabled,
        "liability": {"type": "self"} if is_enabled else None,
        "provider": "stripe" if is_enabled else None,
        "status": None,
    }


def _parent(subscription: Body | None) -> Body | None:
    """An invoice's reference to its subscription: the id, and a copy of the present metadata (docs: "Metadata")."""
    if subscription is None:
        return None
    return {
        "quote_details": None,
        "subscription_details": {
            "metadata": dict(subscription.get("metadata") or {}),
            "subscription": subscription["id"],
        },
        "type": "subscription_details",
    }


def _set_due(invoice: Body, days_until_due: int | None, due_date: int | None) -> None:
    if due_date is not None:
        invoice["due_date"] = due_date
        return
    invoice["_days_until_due"] = DEFAULT_DAYS_UNTIL_DUE if days_until_due is None else days_until_due
    invoice["due_date"] = invoice["created"] + invoice["_days_until_due"] * DAY


def _append(invoice: Body, lines: Sequence[Body]) -> None:
    invoice["lines"]["data"] += [line | {"invoice": invoice["id"]} for line in lines]


def add_line(invoice: Body, *lines: Body) -> Body:
    """Add lines to a draft and recalculate its amounts; the caller emits the event."""
    require_draft(invoice)
    _append(invoice, lines)
    return store.save(recalculate(invoice))


def pull_pending_items(invoice: Body) -> None:
    """Add the pending invoice items to this draft."""
    items = invoice_items.pending_items(
        invoice["customer"], currency=invoice["currency"], subscription=subscription_of(invoice)
    )
    invoice_items.assign_items(items, invoice["id"])
    put_first(invoice, items)
    store.save(recalculate(invoice))


def put_first(invoice: Body, items: Sequence[Body]) -> None:
    """Put lines of invoice items before all others, the newest first; the caller recalculates the amounts."""
    lines = [item_line(item) | {"invoice": invoice["id"]} for item in items]
    name_credited_lines(lines, items)
    invoice["lines"]["data"] = [*lines, *invoice["lines"]["data"]]


def require_draft(invoice: Body) -> None:
    """Raises once an invoice has been finalized: its amounts are fixed."""
    if invoice["status"] != "draft":
        raise ApiError(
            "Invalid invoice: This invoice is no longer editable", code="invoice_not_editable", is_executed=True
        )


def plan_finalization(invoice: Body) -> None:
    """Schedule finalizing in an hour for a draft with `auto_advance`; the caller stores it."""
    if not invoice["auto_advance"]:
        return
    chosen = invoice["automatically_finalizes_at"]
    at = chosen or invoice["created"] + HOUR
    # Stripe shows a second between the two times (observed); the step itself happens after the hour.
    invoice["automatically_finalizes_at"] = chosen or at + 1
    if invoice["collection_method"] == "charge_automatically":
        invoice["next_payment_attempt"] = at
    clocks.schedule_in_time_of(invoice, "finalize_invoice", invoice["id"], at=at)
