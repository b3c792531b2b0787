"""What a charge of Stripe's says about who paid and with what, in words for receipts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from accounts.places_and_languages import regions

_BRANDS = {
    "amex": "American Express",
    "diners": "Diners Club",
    "eftpos_au": "Eftpos Australia",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}
_METHODS = {"sepa_debit": "SEPA Direct Debit", "us_bank_account": "US bank account", "bacs_debit": "Bacs Direct Debit"}
LONGEST_METHOD, LONGEST_ADDRESS = 60, 500


def name_payment_method(charge: Mapping[str, Any]) -> str:
    """Name what a charge was paid with: "Visa ending in 4242", "SEPA Direct Debit ending in 3000", "Link".

    Empty if the charge does not say. It is only shown, so what is missing or of another shape raises nothing.
    """
    details = _mapping(charge.get("payment_method_details"))
    kind = str(details.get("type") or "")
    method = _mapping(details.get(kind))
    name = name_of_method(kind, method)
    last_four = str(method.get("last4") or "")
    return (f"{name} ending in {last_four}" if name and last_four else name)[:LONGEST_METHOD]


def name_of_method(kind: str, method: Mapping[str, Any]) -> str:
    """Name a method of this type by its details: "Visa", "SEPA Direct Debit", "Link"."""
    brand = str(method.get("brand") or "")
    return (_BRANDS.get(brand, _in_words(brand)) or _METHODS.get(kind, _in_words(kind)))[:LONGEST_METHOD]


def write_billing_address(charge: Mapping[str, Any]) -> str:
    """Name and address of the payer in rows, as far as Stripe's page asked for them."""
    billing = _mapping(charge.get("billing_details"))
    address = _mapping(billing.get("address"))
    town = " ".join(str(address.get(part) or "") for part in ("postal_code", "city", "state")).strip()
    country = str(address.get("country") or "")
    country = dict(regions()).get(country, country)
    rows = [billing.get("name"), address.get("line1"), address.get("line2"), town, country]
    return "\n".join(" ".join(str(row).split()) for row in rows if row)[:LONGEST_ADDRESS]


def country_of_payer(charge: Mapping[str, Any]) -> str:
    """The country of the payer's address, else of the bank that issued the card, as ISO 3166 code; empty if unknown."""
    address = _mapping(_mapping(charge.get("billing_details")).get("address"))
    details = _mapping(charge.get("payment_method_details"))
    method = _mapping(details.get(str(details.get("type") or "")))
    country = str(address.get("country") or method.get("country") or "")
    return country if re.fullmatch(r"[A-Z]{2}", country) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _in_words(name: str) -> str:
    return name.replace("_", " ").capitalize()
