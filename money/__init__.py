"""Money as integer minor units with an ISO currency. Knows nothing of orders or requests."""

from money.amounts import CurrencyMismatch, Money, UnknownCurrency, exponent, is_currency
from money.shares import Split, split_by_rate

__all__ = ["CurrencyMismatch", "Money", "Split", "UnknownCurrency", "exponent", "is_currency", "split_by_rate"]
