"""Taxes of a line: by chosen tax rates, or by a small table of countries (docs: "Tax rates", "Stripe Tax").

Amounts are minor units, rounded per line and rate to the nearest one. An exclusive rate is added, an inclusive one is
already in the price. The table has one standard rate per country and ignores states, thresholds and kinds of goods.
"""

from collections.abc import Sequence
from decimal import Decimal

from sandbox import clock, identifiers, store
from sandbox.billing.pricing import rounded
from sandbox.store import Body

STANDARD_RATES = {
    "AT": 20.0, "AU": 10.0, "BE": 21.0, "BG": 20.0, "CH": 8.1, "CY": 19.0, "CZ": 21.0, "DE": 19.0, "DK": 25.0,
    "EE": 24.0, "ES": 21.0, "FI": 25.5, "FR": 20.0, "GB": 20.0, "GR": 24.0, "HR": 25.0, "HU": 27.0, "IE": 23.0,
    "IN": 18.0, "IT": 22.0, "JP": 10.0, "LT": 21.0, "LU": 17.0, "LV": 21.0, "MT": 18.0, "NL": 21.0, "NO": 25.0,
    "NZ": 15.0, "PL": 23.0, "PT": 23.0, "RO": 21.0, "SE": 25.0, "SG": 9.0, "SI": 22.0, "SK": 23.0,
}  # fmt: skip
NAMES = {"AU": ("gst", "GST"), "IN": ("gst", "GST"), "JP": ("jct", "JCT"), "NZ": ("gst", "GST"), "SG": ("gst", "GST")}
EXEMPT_REASONS = {"exempt": "customer_exempt", "reverse": "reverse_charge"}


def taxes_of(
    amount: int, rates: Sequence[Body], *, tax_exempt: str | None = None, is_automatic: bool = False
) -> list[Body]:
    """The tax of each rate on a line's amount (after discounts), as invoices show it in `taxes`."""
    inclusive = sum(Decimal(str(rate["percentage"])) for rate in rates if rate["inclusive"])
    net = Decimal(amount) * 100 / (100 + inclusive)
    reason = EXEMPT_REASONS.get(tax_exempt or "")
    taxes = []
    for rate in rates:
        percentage = Decimal(0) if reason else Decimal(str(rate["percentage"]))
        taxes.append(
            {
                "amount": rounded(net * percentage / 100),
                "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
                "tax_rate_details": {"tax_rate": rate["id"]},
                "taxability_reason": reason or ("standard_rated" if is_automatic else "not_available"),
                "taxable_amount": 0 if reason else rounded(net),
                "type": "tax_rate_details",
            }
        )
    return taxes


def added(taxes: Sequence[Body]) -> int:
    """The taxes added to the price: the exclusive ones."""
    return sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")


def included(taxes: Sequence[Body]) -> int:
    """The taxes contained in the price: the inclusive ones."""
    return sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")


def total_of(taxes: Sequence[Body]) -> list[Body]:
    """Taxes of many lines added up per rate, as `total_taxes` shows them."""
    totals: dict[tuple[str, str], Body] = {}
    for tax in taxes:
        key = (tax["tax_rate_details"]["tax_rate"], tax["taxability_reason"])
        if key not in totals:
            totals[key] = dict(tax)
            continue
        totals[key]["amount"] += tax["amount"]
        totals[key]["taxable_amount"] += tax["taxable_amount"]
    return list(totals.values())


def automatic_rates(address: Body | None, *, tax_behavior: str | None) -> list[Body]:
    """The rates of automatic tax at an address; none without an address, or where the table has none."""
    country = (address or {}).get("country")
    if country not in STANDARD_RATES:
        return []
    return [_standard_rate(country, is_inclusive=tax_behavior == "inclusive")]


def automatic_status(address: Body | None) -> str:
    """`automatic_tax.status` for an address."""
    return "complete" if (address or {}).get("country") else "requires_location_inputs"


def _standard_rate(country: str, *, is_inclusive: bool) -> Body:
    """The stored rate of a country, created when first needed."""
    rows = store.rows("tax_rate").filter(body__country=country, body__inclusive=is_inclusive, body___is_automatic=True)
    found = rows.values_list("body", flat=True).first()
    if found is not None:
        return dict(found)
    tax_type, name = NAMES.get(country, ("vat", "VAT"))
    rate = new_rate(
        display_name=name,
        inclusive=is_inclusive,
        percentage=STANDARD_RATES[country],
        country=country,
        jurisdiction=country,
        jurisdiction_level="country",
        tax_type=tax_type,
    )
    return store.insert(rate | {"_is_automatic": True})


def new_rate(*, display_name: str, inclusive: bool, percentage: float, **fields: object) -> Body:
    """A tax rate, not yet stored."""
    empty = ("country", "description", "flat_amount", "jurisdiction", "jurisdiction_level")
    return {
        "id": identifiers.new_id("txr_1", 23),
        "object": "tax_rate",
        **dict.fromkeys((*empty, "state", "tax_type")),
        "active": True,
        "created": clock.now(),
        "display_name": display_name,
        "inclusive": inclusive,
        "livemode": False,
        "metadata": {},
        "effective_percentage": percentage,
        "percentage": percentage,
        "rate_type": "percentage",
        **fields,
    }
