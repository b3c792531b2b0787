"""The totals of a session: lines, less the discount, plus taxes. Minor units of the session's currency."""

from typing import Any

from sandbox import store
from sandbox.billing import discounts, taxes
from sandbox.billing.discounts import Share
from sandbox.billing.pricing import amount_of, option_in
from sandbox.protocol.resource import presented
from sandbox.store import Body


def recalculate(session: Body) -> Body:
    """Recalculate every amount of an open session after a change. The caller stores it."""
    items = session["_line_items"]
    currency = session["currency"]
    for item in items:
        whole = amount_of(item["price"], item["quantity"], currency=currency)
        item["amount_subtotal"] = 0 if item["_is_postponed"] else whole
    _take_off(session, items)
    for item in items:
        _tax(session, item)
    if session["automatic_tax"]["enabled"]:
        session["automatic_tax"]["status"] = taxes.automatic_status(session["_place"])
    session |= {
        "amount_subtotal": sum(item["amount_subtotal"] for item in items),
        "amount_total": sum(item["amount_total"] for item in items),
        "total_details": {
            "amount_discount": sum(item["amount_discount"] for item in items),
            "amount_shipping": 0,
            "amount_tax": sum(item["amount_tax"] for item in items),
        },
    }
    return session


def _take_off(session: Body, items: list[Body]) -> None:
    granted = session["_discount"]
    shares = [Share(item["amount_subtotal"], item["price"]["product"]) for item in items]
    parts = discounts.spread(granted, shares, session["currency"]) if granted else [0] * len(items)
    for item, part in zip(items, parts, strict=True):
        item["amount_discount"] = part
        item["_discount"] = {"amount": part, "discount": presented(session["_discount"])} if granted and part else None


def granted_of(session: Body) -> Body | None:
    """The coupon or promotion code of a session."""
    if not session["discounts"]:
        return None
    named = session["discounts"][0]
    if named["promotion_code"]:
        return store.fetch("promotion_code", named["promotion_code"])
    coupon: Body = session["_discount"]["_coupon"]
    return coupon


def _tax(session: Body, item: Body) -> None:
    customer = store.find("customer", session["customer"] or "") or {}
    is_automatic = session["automatic_tax"]["enabled"]
    behavior = option_in(item["price"], item["currency"]).get("tax_behavior")
    rates = (
        taxes.automatic_rates(session["_place"], tax_behavior=behavior)
        if is_automatic
        else [store.fetch("tax_rate", rate) for rate in item["_tax_rates"] or session["_default_tax_rates"]]
    )
    left = item["amount_subtotal"] - item["amount_discount"]
    found = taxes.taxes_of(left, rates, tax_exempt=customer.get("tax_exempt"), is_automatic=is_automatic)
    item["_taxes"] = found
    item["amount_tax"] = taxes.added(found) + taxes.included(found)
    item["amount_total"] = left + taxes.added(found)


def shown_reason(tax: Body) -> str | None:
    """The reason for a line's tax; a session gives none for rates chosen by its creator."""
    reason: str = tax["taxability_reason"]
    return None if reason == "not_available" else reason


def breakdown_of(session: Body) -> Body:
    """`total_details.breakdown`, there only when expanded."""
    stored = store.fetch("checkout.session", session["id"])
    items: list[Any] = stored["_line_items"]
    off = sum(item["amount_discount"] for item in items)
    granted: list[Body] = [{"amount": off, "discount": presented(stored["_discount"])}] if stored["_discount"] else []
    totals = taxes.total_of([tax for item in items for tax in item["_taxes"]])
    return {
        "discounts": granted,
        "taxes": [
            {
                "amount": tax["amount"],
                "rate": presented(store.fetch("tax_rate", tax["tax_rate_details"]["tax_rate"])),
                "taxability_reason": shown_reason(tax),
                "taxable_amount": tax["taxable_amount"],
            }
            for tax in totals
        ],
    }
