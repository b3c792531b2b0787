"""Versions of the API: which one a call asks for, and which one answers (docs: "Versioning").

The sandbox speaks one major release. A client of another one is answered all the same, and warned, because most of what
it asks is the same in all; only what cannot be a version is refused, as Stripe does.
"""

import logging
import re
from datetime import date

from sandbox.options import API_VERSION, KNOWN_VERSIONS
from sandbox.protocol.errors import ApiError

# Stripe's first version is of 2011. A beta follows the version: `2026-08-26.dahlia; some_beta=v1`.
_SHAPE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(\.[a-z]+)?(; ?[a-z0-9_]+=v[0-9]+)*")
_FIRST_YEAR = 2011
logger = logging.getLogger(__name__)
_warned_of: set[str] = set()


def check_version(asked: str | None) -> None:
    """Raises the 400 of what cannot be a version of Stripe's API."""
    if asked and not _is_well_formed(asked):
        raise ApiError(f"Invalid Stripe API version: {asked}")


def _is_well_formed(asked: str) -> bool:
    found = _SHAPE.fullmatch(asked)
    try:
        return found is not None and date.fromisoformat(found[1]).year >= _FIRST_YEAR
    except ValueError:
        return False


def answering_version(asked: str | None) -> str:
    """The version in which a call is answered: the one it asks for where the sandbox speaks it, or else its own."""
    return asked if asked in KNOWN_VERSIONS else API_VERSION


def warning_about(asked: str | None) -> str | None:
    """What a call of another version is warned of, for a `Warning` header; the log says it once per version."""
    if not asked or asked in KNOWN_VERSIONS or not _is_well_formed(asked):
        return None
    text = f"The sandbox does not know Stripe's API version {asked} and answers in its own, {API_VERSION}."
    if asked not in _warned_of:
        _warned_of.add(asked)
        logger.warning(text)
    return f'299 sandbox "{text}"'
