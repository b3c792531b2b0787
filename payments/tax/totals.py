"""Tax summed by rate, as carts, receipts, credit notes and Stripe's page show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from money import Money
from payments.tax.words import name_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxTotal:
    """What was paid at one rate, the tax in it, and how much of the tax was added to the prices."""

    bps: int
    gross: Money
    tax: Money
    added: Money

    @property
    def net(self) -> Money:
        return self.gross - self.tax

    @property
    def name(self) -> str:
        """The tax and its rate: "VAT 20 %"."""
        return name_rate(self.bps)

    @property
    def is_added(self) -> bool:
        return bool(self.added.minor)


def totals_by_rate(lines: Iterable[tuple[int, Money, Money, Money]]) -> Sequence[TaxTotal]:
    """Sum rate in basis points, amount, tax and added tax of lines; the highest rate first. Rates of zero are left out.

    Lines are taxed one by one and then summed, so that every page and document shows the same figure.
    """
    by_rate: dict[int, list[tuple[Money, Money, Money]]] = defaultdict(list)
    for bps, *amounts in lines:
        if bps:
            by_rate[bps].append((amounts[0], amounts[1], amounts[2]))
    return [_sum(bps, by_rate[bps]) for bps in sorted(by_rate, reverse=True)]


def _sum(bps: int, lines: Sequence[tuple[Money, Money, Money]]) -> TaxTotal:
    gross, tax, added = lines[0]
    for amounts in lines[1:]:
        gross, tax, added = gross + amounts[0], tax + amounts[1], added + amounts[2]
    return TaxTotal(bps=bps, gross=gross, tax=tax, added=added)
