"""Ids shaped like Stripe's: a prefix that tells the kind, and letters and digits."""

import random
import string

ALPHABET = string.ascii_letters + string.digits
FAMILY_LENGTH = 15
_random = random.SystemRandom()


def token(length: int) -> str:
    """Random letters and digits."""
    return "".join(_random.choices(ALPHABET, k=length))


def new_id(prefix: str, length: int) -> str:
    """A fresh id such as `cus_` and 14 characters."""
    return prefix + token(length)


def sibling_id(prefix: str, relative: str) -> str:
    """An id that shares its middle with a relative, as a charge's does with its payment intent's."""
    middle = relative.split("_", 1)[1][1 : FAMILY_LENGTH + 1]
    return prefix + middle + token(23 - len(middle))


def digits(length: int) -> str:
    """Random digits, as a bank's reference."""
    return "".join(_random.choices(string.digits, k=length))
