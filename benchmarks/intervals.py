"""Medians with an interval that assumes nothing about the distribution."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Median(NamedTuple):
    """A median and its 95 % interval, by order statistics."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def median_with_interval(values: Sequence[float]) -> Median:
    """The median, and the ranks between which the true one lies with at least 95 % probability (binomial, p = 1/2)."""
    ordered, count = sorted(values), len(values)
    below, outside = 0.0, 0
    while below + math.comb(count, outside) / 2**count <= 0.025:  # noqa: PLR2004  # half of the 5 % left outside
        below += math.comb(count, outside) / 2**count
        outside += 1
    lowest = max(outside - 1, 0)
    return Median(statistics.median(ordered), ordered[lowest], ordered[count - 1 - lowest])


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
