"""Stripe's fees for payments: public list prices by the account's country (docs: pricing pages)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


@dataclass(frozen=True)
class Rate:
    """Fractions of the amount for domestic and foreign cards, and a fixed part in minor units."""

    domestic: Decimal
    foreign: Decimal
    fixed_minor: int


_EURO = Rate(Decimal("0.015"), Decimal("0.0325"), 25)
RATES = {
    "US": Rate(Decimal("0.029"), Decimal("0.044"), 30),
    "GB": Rate(Decimal("0.015"), Decimal("0.0325"), 20),
    "CA": Rate(Decimal("0.029"), Decimal("0.037"), 30),
    "AU": Rate(Decimal("0.017"), Decimal("0.035"), 30),
}
DEFAULT_CURRENCIES = {"US": "usd", "GB": "gbp", "CA": "cad", "AU": "aud", "CH": "chf", "PL": "pln", "JP": "jpy"}
BANK_DEBIT_FEE_MINOR = 35


def default_currency(country: str) -> str:
    return DEFAULT_CURRENCIES.get(country, "eur")


def card_fee(amount_minor: int, *, account_country: str, card_country: str) -> int:
    """Stripe's fee in minor units of the charge's currency; the sandbox does not convert currencies."""
    rate = RATES.get(account_country, _EURO)
    share = rate.domestic if card_country == account_country else rate.foreign
    fee = (amount_minor * share).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return min(amount_minor, int(fee) + rate.fixed_minor)
