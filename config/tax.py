"""The variables about tax."""

from __future__ import annotations

import re
from datetime import date

from config.environment import Environment, InvalidVariable

_RATE = re.compile(r"(\*|[a-z][a-z_]{0,29}):([0-9]{1,5})(?:@([0-9]{4}-[0-9]{2}-[0-9]{2}))?", re.ASCII)
_MOST_BPS = 10_000


def read_tax_rates(env: Environment) -> tuple[tuple[str, int, date], ...]:
    """Return domain, basis points and first day of each rate. Raises InvalidVariable."""
    rates = [_read_rate(text) for text in env.items("TAX_RATES")]
    starts = [(domain, starts_on) for domain, _, starts_on in rates]
    if len(set(starts)) < len(starts):
        raise InvalidVariable("TAX_RATES", "names a domain twice for the same day.")
    return tuple(rates)


def _read_rate(text: str) -> tuple[str, int, date]:
    found = _RATE.fullmatch(text)
    try:
        if found and int(found[2]) <= _MOST_BPS:
            return found[1], int(found[2]), date.fromisoformat(found[3]) if found[3] else date.min
    except ValueError:  # there is no such day
        pass
    raise InvalidVariable(
        "TAX_RATES", "must hold rates in basis points, such as *:2000,courses:500,courses:700@2027-01-01."
    )
