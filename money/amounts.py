"""The value type for amounts, and the minor unit of each currency."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from babel.core import UnknownLocaleError, get_global
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met in one sum or comparison."""


class UnknownCurrency(ValueError):
    """A currency code that CLDR does not know."""


class InvalidAmount(ValueError):
    """The text is not an amount in its currency."""


# Stripe's documentation, "Supported currencies": these are charged in whole units, the next in thousandths, all
# others in hundredths. CLDR would say 0 for some of the others (ISK, HUF in cash), which would charge a hundredth.
_ZERO_DECIMAL = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


_CODE_BEFORE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")

# No amount has more digits; the database stores eighteen.
_MOST_DIGITS = 18


@cache
def _known_currencies() -> frozenset[str]:
    return frozenset(get_global("all_currencies"))


def is_currency(code: str) -> bool:
    """Whether `code` is an upper-case ISO 4217 code that CLDR knows."""
    return code in _known_currencies()


@cache
def exponent(currency: str) -> int:
    """Decimal places of the minor unit Stripe charges in: GBP 2, JPY 0, KWD 3. Raises UnknownCurrency."""
    if not is_currency(currency):
        raise UnknownCurrency(currency)
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in integer minor units of one ISO currency; sums and comparisons across currencies raise."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are integers, not {type(self.minor).__name__}")
        if not is_currency(self.currency):
            raise UnknownCurrency(self.currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """An amount of zero in `currency`."""
        return cls(0, currency)

    @classmethod
    def from_major(cls, text: str | Decimal | int, currency: str) -> Money:
        """Read major units as people write them ("12.50"). Raises InvalidAmount if it has too many decimals."""
        try:
            scaled = Decimal(text).scaleb(exponent(currency))
        except ArithmeticError as error:
            # Decimal cannot read it, or it is too large to scale.
            raise InvalidAmount(str(text)) from error
        if not scaled.is_finite() or scaled != scaled.to_integral_value() or scaled.adjusted() > _MOST_DIGITS:
            raise InvalidAmount(str(text))
        return cls(int(scaled), currency)

    def to_major(self) -> Decimal:
        """The exact amount in major units, for display and exports only."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same_currency(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same_currency(other).minor, self.currency)

    def __mul__(self, times: int) -> Money:
        return Money(self.minor * times, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same_currency(other).minor

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same_currency(other).minor

    def __str__(self) -> str:
        return self.format("en_GB")

    def format(self, locale: str) -> str:
        """Format it as is usual in `locale`: £12.50, 12,50 €, ¥1,200."""
        is_cldr_precision = exponent(self.currency) == get_currency_precision(self.currency)
        try:
            written = format_currency(
                self.to_major(),
                self.currency,
                locale=locale,
                currency_digits=is_cldr_precision,
                decimal_quantization=is_cldr_precision,
            )
            # CLDR writes JP¥ beside CN¥. Where the plain sign does not mean yuan, it can only mean yen.
            # CLDR puts a space between a code and digits, which Babel does not: CHF 45.50, but £45.50.
            written = _CODE_BEFORE_DIGIT.sub("\u00a0", written)
            is_yen_alone = get_currency_symbol("CNY", locale) != "¥"
            return written.replace("JP¥", "¥") if is_yen_alone else written
        except UnknownLocaleError:
            return self.format("en_GB")

    def _same_currency(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other
