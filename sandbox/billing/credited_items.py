"""Which line or pending item a credit for unused time refers to (docs: "Prorations")."""

from collections.abc import Sequence

from sandbox import store
from sandbox.billing.invoice_items import pending_items
from sandbox.store import Body


def charged_by(subscription: Body, item: Body, moment: int) -> Body | None:
    """`credited_items` of an invoice item that credits a subscription item from a moment on; None if never billed."""
    waiting = pending_items(
        subscription["customer"], currency=subscription["currency"], subscription=subscription["id"]
    )
    debit = next((one for one in waiting if _is_debit_of(one, item["id"])), None)
    if debit:
        return {"invoice_item": debit["id"], "invoice_line_item_details": None, "type": "invoice_item"}
    rows = store.rows("invoice").filter(source=subscription["id"]).exclude(status="void").order_by("-sequence")
    for invoice in rows.values_list("body", flat=True):
        lines = [line["id"] for line in invoice["lines"]["data"] if _charges(line, item["id"], moment)]
        if lines:
            details = {"invoice": invoice["id"], "invoice_line_items": lines[:1]}
            return {"invoice_item": None, "invoice_line_item_details": details, "type": "invoice_line_items"}
    return None


def _is_debit_of(waiting: Body, item_id: str) -> bool:
    details = (waiting["parent"] or {}).get("subscription_details") or {}
    return waiting["proration"] and waiting["amount"] >= 0 and details.get("subscription_item") == item_id


def _charges(line: Body, item_id: str, moment: int) -> bool:
    details = line["parent"]["subscription_item_details"] or {}
    is_within = line["period"]["start"] <= moment < line["period"]["end"]
    return details.get("subscription_item") == item_id and line["amount"] >= 0 and is_within


def name_credited_lines(lines: Sequence[Body], items: Sequence[Body]) -> None:
    """Make new lines of invoice items name the lines they credit, some of which may be new as well."""
    line_of_item = {item["id"]: line for line, item in zip(lines, items, strict=True)}
    for line, item in zip(lines, items, strict=True):
        credited = (item.get("proration_details") or {}).get("credited_items")
        if credited is None:
            continue
        details = credited["invoice_line_item_details"]
        debit = line_of_item.get(credited["invoice_item"])
        if debit and debit["invoice"]:
            details = {"invoice": debit["invoice"], "invoice_line_items": [debit["id"]]}
        for parent in ("invoice_item_details", "subscription_item_details"):
            if line["parent"][parent]:
                line["parent"][parent]["proration_details"] = {"credited_items": details}
