"""API versions: the one a call requests, the one used for its response, and what it no longer takes.

Objects have the shapes of one major release, dahlia. Of the next one the sandbox knows which parameters are gone, so that
a rehearsal finds who still sends them. Calls of other versions are answered, with a warning, because most of the API is
the same in all; only text that cannot be a version is refused, as at Stripe.
"""

import logging
import re
from collections.abc import Mapping
from datetime import date

from sandbox.options import ENDIVE, KNOWN_VERSIONS, options
from sandbox.protocol.errors import ApiError, unknown_parameter

# Stripe's first version dates from 2011. A beta follows the version: `2026-08-26.dahlia; some_beta=v1`.
_SHAPE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(\.[a-z]+)?(; ?[a-z0-9_]+=v[0-9]+)*")
_FIRST_YEAR = 2011
# The calls that took a list of ways to pay until Endive. What is offered then follows from the Dashboard's settings.
_TYPES = "payment_method_types"
_INTENTS = re.compile(r"/v1/(payment|setup)_intents(/[^/]+(/confirm)?)?")
_SESSIONS = re.compile(r"/v1/checkout/sessions")
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
    """The version of the response: the requested one if the sandbox knows it, otherwise the account's."""
    return requested if requested in KNOWN_VERSIONS else options().api_version


def refuse_removed(path: str, params: Mapping[str, object], requested: str | None) -> None:
    """Raise Stripe's 400 for a parameter that the version of this call does not take any more."""
    if answering_version(requested) not in ENDIVE or _TYPES not in params:
        return
    if _SESSIONS.fullmatch(path):
        raise unknown_parameter(_TYPES)
    if _INTENTS.fullmatch(path):
        raise ApiError(
            "This API version takes no `payment_method_types`: ways to pay are chosen in the Dashboard's settings.",
            code="payment_method_types_no_longer_supported",
            param=_TYPES,
        )


def warning_about(requested: str | None) -> str | None:
    """The `Warning` header for a call of an unknown version, or None; logged once per version."""
    if not requested or requested in KNOWN_VERSIONS or not _is_well_formed(requested):
        return None
    own = options().api_version
    text = f"The sandbox does not know Stripe's API version {requested} and answers in its own, {own}."
    if requested not in _warned_of:
        _warned_of.add(requested)
        logger.warning(text)
    return f'299 sandbox "{text}"'
