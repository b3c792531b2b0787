"""Amounts as people type them: 25,50 or 1.234,50 or CHF 45.50, read only where no other reading is possible."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache

from babel.numbers import get_currency_symbol

from money.amounts import InvalidAmount, exponent, is_currency

_MINUS = re.compile(r"[-−–]|^\(.*\)$")
# Between groups of three digits: spaces of every width, and the Swiss apostrophe.
_GROUP_MARKS = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'’](?=\d{3}(?!\d))")
# Swiss and German prices without decimals end in a dash, Swedish ones in :-
_NO_DECIMALS = re.compile(r"(?<=\d)[.,:][-–—]{1,2}$")
_LONGEST = 40
_PLAIN = re.compile(r"\d+")
# 1,234 and 1,23,456: in India all groups but the last have two digits.
_GROUPED = {mark: re.compile(rf"\d{{1,3}}(?:\{mark}\d{{2,3}})*\{mark}\d{{3}}") for mark in ",."}
_GROUP_LENGTH = 3
# Languages that most of Europe's people write prices in; each has its own signs, such as £GB and $US in French.
_LOCALES = ("en_GB", "en_US", "de", "fr", "es", "it", "nl", "pl", "sv", "ja")
# Signs that several currencies share, so that the field's own is meant.
_SHARED_SIGNS = {
    "$": frozenset(["AUD", "CAD", "HKD", "MXN", "NZD", "SGD", "TWD", "USD"]),
    "¥": frozenset(["CNY", "JPY"]),
    "fr": frozenset(["CHF"]),
    "fr.": frozenset(["CHF"]),
    "kr": frozenset(["DKK", "ISK", "NOK", "SEK"]),
    "kr.": frozenset(["DKK", "ISK", "NOK", "SEK"]),
    "円": frozenset(["JPY"]),
    "元": frozenset(["CNY"]),
    "sfr": frozenset(["CHF"]),
    "sfr.": frozenset(["CHF"]),
    "franken": frozenset(["CHF"]),
    "rs": frozenset(["INR"]),
    "rs.": frozenset(["INR"]),
    "ft": frozenset(["HUF"]),
    "kč": frozenset(["CZK"]),
    "lei": frozenset(["RON"]),
    "euro": frozenset(["EUR"]),
    "euros": frozenset(["EUR"]),
    "pounds": frozenset(["GBP"]),
    "dollars": frozenset(["AUD", "CAD", "HKD", "NZD", "SGD", "USD"]),
}


def read_amount(typed: str, currency: str) -> Decimal:
    """The amount in major units. Raises InvalidAmount with a message for the person who typed it.

    Comma and point both stand for either decimals or thousands. What follows decides: one or two digits are decimals,
    of two different marks the last begins them, and a mark that is repeated groups. Three digits after one mark are the
    case with two readings: "1,234" is a thousand and more in currencies without that many decimals, as is usual in
    English; "1.234" is refused there, because a German thousand and a typing error look the same. In currencies with
    three decimals a point begins them, and a comma is refused.
    """
    if len(typed) > _LONGEST:
        raise InvalidAmount("This amount is too long.")
    number = _NO_DECIMALS.sub("", _without_currency(typed.strip(), currency))
    if _MINUS.search(number):
        raise InvalidAmount("An amount cannot be negative.")
    number = _GROUP_MARKS.sub("", number)
    if not re.fullmatch(r"[0-9.,]+", number) or not _PLAIN.search(number):
        raise InvalidAmount(f"Enter an amount in {currency} with the digits 0 to 9, such as {_example(currency)}.")
    whole, decimals = _split(number, currency)
    if len(decimals) > exponent(currency):
        places = f"at most {exponent(currency)} decimal places" if exponent(currency) else "no decimal places"
        raise InvalidAmount(f"{currency} has {places}.")
    return Decimal(f"{whole or 0}.{decimals}" if decimals else whole)


def _split(number: str, currency: str) -> tuple[str, str]:
    """The digits before and after the decimal mark."""
    marks = [sign for sign in number if sign in ",."]
    if not marks:
        return number, ""
    last = marks[-1]
    if len(set(marks)) > 1:
        whole, _, decimals = number.rpartition(last)
        other = "," if last == "." else "."
        if last in whole or not _GROUPED[other].fullmatch(whole):
            raise InvalidAmount(f"Enter the amount like this: {_example(currency)}.")
        return whole.replace(other, ""), decimals
    if len(marks) > 1:
        if not _GROUPED[last].fullmatch(number):
            raise InvalidAmount(f"Enter the amount like this: {_example(currency)}.")
        return number.replace(last, ""), ""
    return _split_at_only_mark(number, last, currency)


def _split_at_only_mark(number: str, mark: str, currency: str) -> tuple[str, str]:
    whole, _, decimals = number.partition(mark)
    may_group = len(decimals) == _GROUP_LENGTH and _GROUPED[mark].fullmatch(number) and not whole.startswith("0")
    if not may_group:
        return whole, decimals
    has_three_decimals = exponent(currency) == _GROUP_LENGTH
    if mark == "." and has_three_decimals:
        return whole, decimals
    if mark == "," and not has_three_decimals:
        return whole + decimals, ""
    fraction = decimals[: exponent(currency)]
    small = f"{whole}.{fraction}" if fraction else whole
    raise InvalidAmount(f"“{number}” can be read in two ways: enter {whole}{decimals} or {small}.")


def _without_currency(typed: str, currency: str) -> str:
    """The number alone. The field's own currency may stand before or after it, as a code or a sign."""
    # A full stop belongs to a word before it, as in Fr. 45; after a sign it begins the decimals, as in £.50.
    found = re.fullmatch(
        r"((?:[^\d\s.,+()−–-]*[^\W\d_]\.|[^\d\s.,+()−–-]+)?)\s*(.*?)\s*([^\d\s.,:()−–-]*\.?)", typed, re.DOTALL
    )
    if not found or not (found[1] or found[3]) or (found[1] and found[3].rstrip(".")):
        return typed
    sign, number = (found[1], found[2] + found[3]) if found[1] else (found[3], found[2])
    if sign.upper() == currency or sign.lower() in _signs_of(currency):
        return number
    if is_currency(sign.upper()) or sign in "€£$¥₹₩₪₫₱":
        raise InvalidAmount(f"This amount is in {currency}, and you typed {sign}.")
    return typed


@cache
def _signs_of(currency: str) -> set[str]:
    own = {get_currency_symbol(currency, locale).lower() for locale in _LOCALES}
    return own | {sign for sign, currencies in _SHARED_SIGNS.items() if currency in currencies}


def _example(currency: str) -> str:
    decimals = "50"[: exponent(currency)].ljust(exponent(currency), "0")
    return f"1234.{decimals}" if decimals else "1234"
