"""The totals of an invoice: lines, discounts, taxes, the customer's balance (docs: "Invoice line items", "Taxes").

The order: discounts of a line, discounts of the invoice shared among the lines, then taxes on the rest.
All amounts are minor units of the invoice's currency.
"""

from collections.abc import Sequence

from sandbox import store
from sandbox.billing import discounts, taxes
from sandbox.billing.discounts import Share
from sandbox.protocol.money import minimum_charge
from sandbox.store import Body


def recalculate(invoice: Body, *, balance: int | None = None) -> Body:
    """Calculate every amount of a draft from its lines, and the part that the customer's `balance` covers."""
    lines: list[Body] = invoice["lines"]["data"]
    left = [line["amount"] for line in lines]
    for line in lines:
        line |= {"discount_amounts": [], "subtotal": line["amount"]}
    for index, line in enumerate(lines):
        for discount_id in line["discounts"]:
            _take_off(discount_id, lines[index : index + 1], left, index, invoice["currency"])
    after_own = list(left)
    for discount_id in invoice["discounts"]:
        _take_off(discount_id, lines, left, 0, invoice["currency"])
    included_before = 0
    for line, amount, own in zip(lines, left, after_own, strict=True):
        rates = _rates_of(invoice, line)
        exempt, is_automatic = invoice["customer_tax_exempt"], invoice["automatic_tax"]["enabled"]
        line["taxes"] = taxes.taxes_of(amount, rates, tax_exempt=exempt, is_automatic=is_automatic)
        line["pretax_credit_amounts"] = _as_credits(line["discount_amounts"])
        included_before += taxes.included(taxes.taxes_of(own, rates, tax_exempt=exempt))
    _total(invoice, left=sum(left), subtotal=sum(after_own), included_before=included_before)
    _set_amount_due(invoice, balance)
    return invoice


def _take_off(discount_id: str, lines: Sequence[Body], left: list[int], start: int, currency: str) -> None:
    discount = store.fetch("discount", discount_id)
    shares = [Share(left[start + index], _product_of(line), line["discountable"]) for index, line in enumerate(lines)]
    for index, amount in enumerate(discounts.spread(discount, shares, currency)):
        left[start + index] -= amount
        if shares[index].is_discountable:
            lines[index]["discount_amounts"].append({"amount": amount, "discount": discount_id})


def _product_of(line: Body) -> str | None:
    return line["pricing"]["price_details"]["product"] if line["pricing"] else None


def _rates_of(invoice: Body, line: Body) -> list[Body]:
    if invoice["automatic_tax"]["enabled"]:
        return taxes.automatic_rates(place_of(invoice), tax_behavior=line["_tax_behavior"])
    if line["_tax_rates"]:
        return [store.fetch("tax_rate", rate) for rate in line["_tax_rates"]]
    return list(invoice["default_tax_rates"])


def place_of(invoice: Body) -> Body | None:
    """The address that decides automatic tax: the shipping address, or else the customer's own."""
    place: Body | None = (invoice["customer_shipping"] or {}).get("address") or invoice["customer_address"]
    return place


def _total(invoice: Body, *, left: int, subtotal: int, included_before: int) -> None:
    lines = invoice["lines"]["data"]
    all_taxes = [tax for line in lines for tax in line["taxes"]]
    total = left + taxes.added(all_taxes)
    amounts: dict[str, int] = {}
    for line in lines:
        for taken in line["discount_amounts"]:
            amounts[taken["discount"]] = amounts.get(taken["discount"], 0) + taken["amount"]
    taken_off = [{"amount": amount, "discount": discount} for discount, amount in amounts.items()]
    invoice |= {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - included_before,
        "total": total,
        "total_discount_amounts": taken_off,
        "total_excluding_tax": left - taxes.included(all_taxes),
        "total_pretax_credit_amounts": _as_credits(taken_off),
        "total_taxes": taxes.total_of(all_taxes),
    }
    if invoice["automatic_tax"]["enabled"]:
        invoice["automatic_tax"] |= {"status": taxes.automatic_status(place_of(invoice))}


def _as_credits(amounts: Sequence[Body]) -> list[Body]:
    return [taken | {"type": "discount"} for taken in amounts]


def _set_amount_due(invoice: Body, balance: int | None) -> None:
    """Set the amount due after the customer's balance; one too small to charge is carried over to the next invoice."""
    if balance is not None:
        invoice["starting_balance"] = balance
    due = max(invoice["total"] + invoice["starting_balance"], 0)
    if due < minimum_charge(invoice["currency"]):
        due = 0
    invoice |= {"amount_due": due, "amount_remaining": due - invoice["amount_paid"]}


def balance_after(invoice: Body) -> int:
    """The customer's balance after this invoice is finalized; negative is credit."""
    return int(invoice["starting_balance"] + invoice["total"] - invoice["amount_due"])
