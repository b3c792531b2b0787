"""API versions: the one a call requests, and the one used for its response (docs: "Versioning").

The sandbox implements one major release. Calls of other versions are still answered, with a warning, because most of
the API is the same in all; only text that cannot be a version is refused, as at Stripe.
"""

import logging
import re
from datetime import date

from sandbox.options import API_VERSION, KNOWN_VERSIONS
from sandbox.protocol.errors import ApiError

# Stripe's first version dates from 2011. A beta follows the version: `2026-08-26.dahlia; some_beta=v1`.
_SHAPE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(\.[a-z]+)?(; ?[a-z0-9_]+=v[0-9]+)*")
_FIRST_YEAR = 2011
logger = logging.getLogger(__name__)
_warned_of: set[str] = set()


def check_version(requested: str | None) -> None:
    """Raise Stripe's 400 for text that cannot be an API version."""
    if requested and not _is_well_formed(requested):
        raise ApiError(f"Invalid Stripe API version: {requested}")


def _is_well_formed(requested: str) -> bool:
    found = _SHAPE.fullmatch(requested)
    try:
        return found is not None and date.fromisoformat(found[1]).year >= _FIRST_YEAR
    except ValueError:
        return False


def answering_version(requested: str | None) -> str:
    """The version of the response: the requested one if the sandbox knows it, otherwise the sandbox's own."""
    return requested if requested in KNOWN_VERSIONS else API_VERSION


def warning_about(requested: str | None) -> str | None:
    """The `Warning` header for a call of an unknown version, or None; logged once per version."""
    if not requested or requested in KNOWN_VERSIONS or not _is_well_formed(requested):
        return None
    text = f"The sandbox does not know Stripe's API version {requested} and answers in its own, {API_VERSION}."
    if requested not in _warned_of:
        _warned_of.add(requested)
        logger.warning(text)
    return f'299 sandbox "{text}"'
