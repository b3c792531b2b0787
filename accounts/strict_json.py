"""JSON that strangers send, read so that everything in it can be stored, counted and shown."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

# Nothing this site takes is nested deeper than a few levels; a thousand would overflow what reads it later.
_DEPTH_AT_MOST = 20
# Whole numbers beyond this are no quantities, and JavaScript would round them.
_LARGEST_INTEGER = 2**53


class NotPlainJson(ValueError):
    """Not JSON, or JSON that PostgreSQL, a page or arithmetic would stumble over."""


def read_json(text: str) -> Any:
    """What a JSON text says. Raises NotPlainJson.

    Refused although Python reads it: NaN, infinities and numbers that become one, huge integers, NUL, half of a
    surrogate pair, and deep nesting.
    """
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_moderate)
    except (ValueError, RecursionError) as error:
        raise NotPlainJson(str(error)) from error
    _check(value, depth=1)
    return value


def _refuse(word: str) -> NoReturn:
    raise NotPlainJson(f"{word} is no number.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise NotPlainJson("A number is too large.")
    return number


def _moderate(digits: str) -> int:
    number = int(digits)
    if abs(number) > _LARGEST_INTEGER:
        raise NotPlainJson("A number is too large.")
    return number


def _check(value: Any, *, depth: int) -> None:
    if depth > _DEPTH_AT_MOST:
        raise NotPlainJson("It is nested too deeply.")
    if isinstance(value, str):
        if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value):
            raise NotPlainJson("A text holds a character that cannot be stored.")
    elif isinstance(value, dict):
        for name, part in value.items():
            _check(name, depth=depth)
            _check(part, depth=depth + 1)
    elif isinstance(value, list):
        for part in value:
            _check(part, depth=depth + 1)
