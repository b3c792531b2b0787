"""Changes to an existing invoice: a draft may change entirely, an open one only where its amounts stay."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sandbox import schedule, store
from sandbox.billing import invoice_items
from sandbox.billing.invoice_finalizing import DAY, plan_collection
from sandbox.billing.invoice_lines import item_line
from sandbox.billing.invoice_totals import recalculate
from sandbox.billing.invoices import plan_finalization, put_first, require_draft
from sandbox.protocol.errors import ApiError, no_such
from sandbox.store import Body
from sandbox.webhooks.events import emit

# Fields that stay editable once the amounts are fixed (docs: "Edit invoices").
AFTER_FINALIZING = ("auto_advance", "default_payment_method", "metadata", "payment_settings")


@contextmanager
def emitting_update(invoice: Body) -> Iterator[None]:
    """Change an invoice, store it, and emit invoice.updated with what was different before."""
    before = {key: copy.deepcopy(value) for key, value in invoice.items() if not key.startswith("_")}
    yield
    store.save(invoice)
    changed = {key: value for key, value in before.items() if invoice.get(key) != value}
    if changed:
        emit("invoice.updated", invoice, previous={key: changed[key] for key in changed if key != "lines"})


def edit_invoice(invoice: Body, change: Body) -> Body:
    """Write new values of fields; `days_until_due` also sets the due date."""
    editable = {"draft": change, "open": AFTER_FINALIZING, "uncollectible": AFTER_FINALIZING}
    for name in sorted(change):
        if name not in editable.get(invoice["status"], ("metadata",)):
            raise ApiError("Finalized invoices can't be updated in this way", param=name, is_executed=True)
    with emitting_update(invoice):
        advance = change.pop("auto_advance", None)
        days = change.pop("days_until_due", None)
        invoice |= change
        if days is not None:
            invoice |= {"_days_until_due": days, "due_date": invoice["created"] + days * DAY}
        elif "due_date" in change:
            invoice["_days_until_due"] = None
        if invoice["status"] == "draft":
            recalculate(invoice)
        if advance is not None:
            _set_auto_advance(invoice, is_on=advance)
        elif "automatically_finalizes_at" in change and invoice["status"] == "draft":
            _set_auto_advance(invoice, is_on=True)
    return invoice


def _set_auto_advance(invoice: Body, *, is_on: bool) -> None:
    invoice["auto_advance"] = is_on
    if invoice["status"] == "draft":
        schedule.unschedule("finalize_invoice", invoice["id"])
        if is_on:
            plan_finalization(invoice)
    elif invoice["status"] == "open":
        schedule.unschedule("collect_invoice", invoice["id"])
        if is_on:
            plan_collection(invoice)
    if not is_on:
        invoice |= {"automatically_finalizes_at": None, "next_payment_attempt": None}


def put_items_on(invoice: Body, items: Sequence[Body]) -> Body:
    """Add invoice items, which already name the invoice, as lines of a draft."""
    require_draft(invoice)
    with emitting_update(invoice):
        put_first(invoice, items[::-1])
        recalculate(invoice)
    return invoice


def line_of(invoice: Body, line_id: str, *, param: str, in_url: bool = False) -> Body:
    """One line of an invoice. Raises Stripe's error for a missing one."""
    for line in invoice["lines"]["data"]:
        if line["id"] == line_id:
            found: Body = line
            return found
    raise no_such("line_item", line_id, param=param, in_url=in_url)


def item_of_line(line: Body) -> str | None:
    """The invoice item behind a line, if there is one."""
    parent = line["parent"] or {}
    details = parent.get("invoice_item_details") or parent.get("subscription_item_details") or {}
    found: str | None = details.get("invoice_item")
    return found


def rewrite_line(invoice: Body, item: Body) -> None:
    """Update an item's line to the item's new values, keeping its id; the caller recalculates the amounts."""
    for index, line in enumerate(invoice["lines"]["data"]):
        if item_of_line(line) == item["id"]:
            invoice["lines"]["data"][index] = item_line(item) | {"id": line["id"], "invoice": invoice["id"]}


def drop_line(invoice: Body, line: Body, *, keeps_item: bool) -> None:
    """Remove a line from a draft; its item becomes pending again or is deleted. The caller recalculates the amounts."""
    invoice["lines"]["data"].remove(line)
    item = store.find("invoiceitem", item_of_line(line) or "")
    if item is None:
        return
    if keeps_item:
        store.save(item | {"invoice": None})
    else:
        invoice_items.delete_item(item)
