"""Ids in Stripe's format: a prefix for the kind, then letters and digits."""

import os
import string

FAMILY_LENGTH = 15


def _table(alphabet: str) -> bytes:
    """The character for each byte value; the first few of the alphabet are slightly more frequent."""
    return bytes(ord(alphabet[byte % len(alphabet)]) for byte in range(256))


_TOKENS = _table(string.ascii_letters + string.digits)
_DIGITS = _table(string.digits)


def token(length: int) -> str:
    """Random letters and digits, from the operating system, so that a restarted process does not repeat them."""
    return os.urandom(length).translate(_TOKENS).decode()


def new_id(prefix: str, length: int) -> str:
    """A new random id, such as `cus_` and 14 characters."""
    return prefix + token(length)


def sibling_id(prefix: str, relative: str) -> str:
    """An id that shares its middle with another id, as a charge's does with its payment intent's."""
    middle = relative.split("_", 1)[1][1 : FAMILY_LENGTH + 1]
    return prefix + middle + token(23 - len(middle))


def digits(length: int) -> str:
    """Random digits, as a bank's reference."""
    return os.urandom(length).translate(_DIGITS).decode()
