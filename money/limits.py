"""The least and the most that a card can be charged in one payment, and the step, for each currency.

From Stripe's documentation, "Supported currencies". Stripe checks the minimum after conversion to the currency an
account settles in, at a rate of its own, so a payment just above it may still be refused; that refusal is handled at
checkout.
"""

from __future__ import annotations

from dataclasses import dataclass

from money.amounts import Money, exponent

_LEAST_MINOR = {
    "AED": 200, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30,
    "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "KRW": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50,
    "PLN": 200, "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50, "ZAR": 50,
}  # fmt: skip
# Eight digits, in every currency. Stripe takes more in a few, but no price here comes near it.
MOST_MINOR = 99_999_999
# Charged by Stripe with two decimals that must be 00, because these currencies lost their decimals after Stripe began.
# HUF and TWD are charged to the hundredth; only payouts in them must be whole.
_WHOLE_UNITS_ONLY = frozenset(["ISK", "UGX"])
# Banks are paid out to in whole units of these as well.
_WHOLE_UNITS_AT_BANKS = _WHOLE_UNITS_ONLY | {"HUF", "TWD"}
_THOUSANDTHS = 3


class CannotBeCharged(ValueError):
    """Too little, too much, or finer than the currency's step. The message is for the person."""


class TooLittle(CannotBeCharged):
    """Less than the least that a card can be charged."""


@dataclass(frozen=True, slots=True)
class ChargeLimits:
    """The limits of one currency."""

    least: Money
    most: Money
    step: Money

    def check(self, amount: Money) -> None:
        """Raise CannotBeCharged for an amount outside these limits, zero included."""
        if amount < self.least:
            raise TooLittle(f"The least that can be paid by card is {self.least}.")
        if self.most < amount:
            raise CannotBeCharged(f"The most that can be paid by card at once is {self.most}.")
        self.check_step(amount)

    def round_up(self, amount: Money) -> Money:
        """The least amount in whole steps that is not below `amount`."""
        return Money(-(-amount.minor // self.step.minor) * self.step.minor, amount.currency)

    def round_down(self, amount: Money) -> Money:
        """The largest amount in whole steps that does not exceed `amount`."""
        return Money(amount.minor // self.step.minor * self.step.minor, amount.currency)

    def check_step(self, amount: Money) -> None:
        """Raise CannotBeCharged for an amount that is finer than the currency is charged."""
        if amount.minor % self.step.minor:
            raise CannotBeCharged(f"Amounts in {amount.currency} can be charged in steps of {self.step} only.")


def limits_of(currency: str) -> ChargeLimits:
    """The limits of charges in `currency`. Raises UnknownCurrency."""
    step = _step_minor(currency)
    # Where Stripe publishes no minimum, only its refusal at checkout shows that an amount is too small.
    least = _LEAST_MINOR.get(currency, step)
    return ChargeLimits(Money(least, currency), Money(MOST_MINOR - MOST_MINOR % step, currency), Money(step, currency))


def half_of(amount: Money) -> Money:
    """Half of an amount, rounded up to a whole step of the currency, in favour of the person who gets it."""
    return min(limits_of(amount.currency).round_up(Money((amount.minor + 1) // 2, amount.currency)), amount)


def check_chargeable(amount: Money) -> None:
    """Raise CannotBeCharged unless a card can be charged exactly this."""
    limits_of(amount.currency).check(amount)


def largest_payable(amount: Money) -> Money:
    """The largest amount up to this one that a bank can be paid; the rest is finer than the currency's step."""
    return Money(amount.minor - amount.minor % smallest_payable(amount.currency).minor, amount.currency)


def smallest_payable(currency: str) -> Money:
    """The step in which banks are paid, and so the least that one can be paid. Raises UnknownCurrency."""
    return Money(100 if currency in _WHOLE_UNITS_AT_BANKS else _step_minor(currency), currency)


def _step_minor(currency: str) -> int:
    if currency in _WHOLE_UNITS_ONLY:
        return 100
    return 10 if exponent(currency) == _THOUSANDTHS else 1
