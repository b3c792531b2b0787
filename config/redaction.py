"""Remove from any text what must not be in a log: secrets, card numbers, email addresses, and forged lines.

Visitors control what is logged: a path, a header, a name. So every step takes time in proportion to the length, each
text is cut to a maximum first, and addresses and secrets are also found in the usual encodings.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any
from urllib.parse import unquote

# Longer texts are cut, so that lines stay readable. A traceback may be longer than the values of a line.
_LONGEST = 8_000
LONGEST_TRACEBACK = 20_000
# A secret that was cut in two is shorter than this, so removing as much from the end removes all of it.
_LONGEST_SECRET = 600
# All values of one line together, however they are nested.
_LONGEST_LINE = 40_000
_DEEPEST = 8

_SECRET_NAMES = re.compile(
    r"passw|secret|token|authorization|cookie|api_?key|signature|csrf|session_?key|card_?number|cvc|iban", re.IGNORECASE
)
# UUIDs (Celery's task ids) and ids without hyphens: their digits are not a card number, even if Luhn's check holds.
_IDS = re.compile(
    r"(?<![0-9A-Za-z])("
    r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
    r"|(?=\d{0,64}[a-f])[0-9a-f]{32,64}"
    r")(?![0-9A-Za-z])"
)
# Digits in groups, as card numbers and other numbers are written; not the digits after a decimal point. Quantifiers are
# possessive (`++`, `*+`), here and below: without backtracking, the time stays linear.
_DIGIT_GROUPS = re.compile(r"(?<!\d)(?<!\d\.)\d++(?:[ +-]\d++)*+")
_CARD_LENGTHS = range(13, 20)
# Where the part of an address before its @ may begin: after something that cannot belong to it.
_LOCAL = r"\w.!#$%&'*+?^`{|}~-"
_PATTERNS = (
    # Stripe's keys, webhook secrets and client secrets.
    (re.compile(r"(?:(?:sk|rk|pk)_(?:live|test)|whsec)_[\w+/=-]++"), "[secret]"),
    (re.compile(r"(?:pi|seti|cs)_[A-Za-z0-9_]{1,100}?_secret_\w++"), "[secret]"),
    (re.compile(r"(?i)\b(bearer|basic)[\s+]{1,20}[\w.~+/=-]{6,}+"), r"\1 [secret]"),
    # The password in an address such as postgres://user:password@host, but not a port followed by an email address.
    (
        re.compile(r"(?i)((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://[^\s:/@]{0,200}:)(?!\d{1,5}[/?#])[^\s@]{1,300}@"),
        r"\1[secret]@",
    ),
    # The links of password resets and email confirmations, which any reader of the log could use.
    (re.compile(r"(/(?:reset/key|confirm-email)/)[^/\s\"']++"), r"\1[token]"),
    (re.compile(rf"(?<![{_LOCAL}])[{_LOCAL}]++@[\w-]++(?:\.[\w-]++)++"), "[email]"),
    # password=..., "token": "...", {'secret': '...'}, whether in a form body, a repr or a query string.
    (
        re.compile(
            r"""(?ix)
            ( (?:passw(?:or)?d|passphrase|secret|token|api_?key|cvc|cookie|sessionid) [\w-]{0,40}+ (?:\\{0,8}["'])?
              \s{0,10}+ [:=] \s{0,10}+ )
            (?: \\++["'][^"']*+(?:["']|$) | "(?:[^"\\]|\\++[^\\])*+(?:"|$) | '(?:[^'\\]|\\++[^\\])*+(?:'|$)
              | (?!\[(?:secret|token)\]) [^\s&,;}\])]++ )"""
        ),
        r"\1[redacted]",
    ),
)
# What an encoding of letters and signs begins with: %40, &#64; &commat; \u0040 \x40 =40.
_ENCODED = re.compile(r"%[0-9a-fA-F]{2}|&#?[A-Za-z0-9]{2,8};|\\[ux][0-9a-fA-F]{2}|=[0-9A-F]{2}|=\r?\n")
_ESCAPE = re.compile(r"\\++(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
_QUOTED_PRINTABLE = re.compile(r"=([0-9A-F]{2})|=\r?\n")
# One encoding may lie in another: a link in JSON in a query.
_ENCODINGS_DEEP = 3
# Control characters of both sets, line and paragraph separators, halves of surrogate pairs, and what turns the direction
# of writing: a terminal or a log's reader may take them for new lines, colours or other text.
_FORGING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# A text without any of these cannot match a pattern above. Most values are names, states and ids, so this saves time.
_SUSPICIOUS = re.compile(
    r"[^A-Za-z0-9_./ ,;#()\[\]{}+*?!|<>'\"~$^-]|[srp]k_(?:live|test)|whsec_|_secret_|/(?:reset/key|confirm-email)/"
    r"|\d(?:[ +-]?\d){12}|(?i:bearer|basic)"
)


def redact_text(text: str, *, longest: int = _LONGEST) -> str:
    """Return `text` in one line, without keys, passwords, card numbers and email addresses."""
    if len(text) <= longest and not _SUSPICIOUS.search(text):
        return text
    return one_line(_hidden(text, longest=longest))


def redact_lines(text: str, *, longest: int = LONGEST_TRACEBACK) -> str:
    """Like `redact_text`, for a traceback: its line breaks stay, every other control character is escaped."""
    return "\n".join(map(one_line, _hidden(text, longest=longest).split("\n")))


def one_line(text: str) -> str:
    r"""Return `text` with everything that could end or forge a line written out, such as `\n` and `\x1b`."""
    return _FORGING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def redact_values(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of one log line, redacted by their names and by what is in them."""
    return _Redaction().mapping(event, depth=0)


class _Redaction:
    """The redaction of one line. However its values are nested, only a limited amount is examined."""

    def __init__(self) -> None:
        self._left = _LONGEST_LINE

    def mapping(self, values: Mapping[Any, Any], *, depth: int) -> dict[str, Any]:
        redacted: dict[str, Any] = {}
        for name, value in values.items():
            if self._left <= 0:
                redacted["cut"] = True
                break
            redacted[self._text(str(name))] = self.value(value, name=str(name), depth=depth)
        return redacted

    def value(self, value: Any, *, depth: int, name: str = "") -> Any:
        if value is None or isinstance(value, bool | float):
            return value
        if name and value != "" and _SECRET_NAMES.search(name[:_LONGEST]):
            return "[redacted]"
        if isinstance(value, int):
            return self._number(value)
        if isinstance(value, Mapping | list | tuple | set | frozenset):
            return self._container(value, depth=depth + 1)
        if isinstance(value, bytes | bytearray):
            value = bytes(value[: _LONGEST + 1]).decode(errors="replace")
        return self._text(value if isinstance(value, str) else repr(value))

    def _container(self, values: Any, *, depth: int) -> Any:
        if depth > _DEEPEST:
            return "[cut]"
        return self.mapping(values, depth=depth) if isinstance(values, Mapping) else self._items(values, depth=depth)

    def _items(self, values: Iterable[Any], *, depth: int) -> list[Any]:
        redacted: list[Any] = []
        for value in values:
            if self._left <= 0:
                return [*redacted, "[cut]"]
            redacted.append(self.value(value, depth=depth))
        return redacted

    def _text(self, text: str) -> str:
        redacted = redact_text(text, longest=max(min(_LONGEST, self._left), 1))
        # An empty text counts too, or a million of them would be free.
        self._left -= min(len(text), _LONGEST) + 4
        return redacted

    def _number(self, value: int) -> int | str:
        self._left -= 4
        if abs(value) < 10 ** (_CARD_LENGTHS.start - 1):
            return value
        # Longer numbers are not cards, and Python refuses to write very long ones.
        is_card = abs(value) < 10 ** (_CARD_LENGTHS.stop - 1) and _is_card_number(str(abs(value)))
        return "[card]" if is_card else value if value.bit_length() <= 256 else "[cut]"  # noqa: PLR2004  # a long number


def _hidden(text: str, *, longest: int) -> str:
    if len(text) <= longest:
        return _without_encoded(_without_plain(text))
    # A secret that was cut in two may not be recognised, so as much as the longest one is removed from the end.
    kept = _without_encoded(_without_plain(text[: longest + _LONGEST_SECRET]))[:-_LONGEST_SECRET]
    return f"{kept}… ({len(text)} characters)"


def _without_plain(text: str) -> str:
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    # Because the pattern has a group, the ids themselves are at the odd places.
    pieces = _IDS.split(text)
    pieces[::2] = [_DIGIT_GROUPS.sub(_without_cards, piece) for piece in pieces[::2]]
    return "".join(pieces)


def _without_encoded(text: str) -> str:
    """Decode the text; if that reveals anything, return the decoded text without it."""
    # Quoted-printable separately: it would decode "=40", with which a card number after an equals sign may begin, to "@".
    for decode in (_decode, _decode_quoted_printable):
        decoded = text
        for _ in range(_ENCODINGS_DEEP):
            if not _ENCODED.search(decoded):
                break
            decoded = decode(decoded)
            hidden = _without_plain(decoded)
            if hidden != decoded:
                text = decoded = hidden
    return text


def _decode(text: str) -> str:
    return _ESCAPE.sub(_character, html.unescape(unquote(text)))


def _decode_quoted_printable(text: str) -> str:
    return _QUOTED_PRINTABLE.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    code = next((group for group in found.groups() if group), "")
    return chr(int(code, 16)) if code else ""


def _without_cards(found: re.Match[str]) -> str:
    """Return the digits without card numbers, even if there is a date before one or its expiry after it."""
    if len(found[0]) < _CARD_LENGTHS.start:
        return found[0]
    groups = re.split(r"([ +-])", found[0])
    numbers = groups[::2]
    # The last one may be the whole part of a decimal number.
    ends = found.end()
    is_decimal = found.string[ends : ends + 1] == "." and found.string[ends + 1 : ends + 2].isdigit()
    hidden = _cards_among(numbers[:-1] if is_decimal else numbers)
    if not hidden:
        return found[0]
    kept = ["[card]" if place in hidden else number for place, number in enumerate(numbers)]
    kept_groups = [part for pair in zip(kept, [*groups[1::2], ""], strict=True) for part in pair]
    return re.sub(r"\[card\](?:[ +-]\[card\])+", "[card]", "".join(kept_groups))


def _cards_among(numbers: list[str]) -> set[int]:
    """Return the positions of all numbers that are, or are part of, a card number."""
    borders = [0, *accumulate(map(len, numbers))]
    luhn = _Luhn("".join(numbers))
    hidden: set[int] = set()
    for start in range(len(numbers)):
        for end in range(start + 1, len(borders)):
            length = borders[end] - borders[start]
            if length >= _CARD_LENGTHS.stop:
                break
            if length in _CARD_LENGTHS and luhn.holds_for(borders[start], borders[end]):
                hidden.update(range(start, end))
    return hidden


class _Luhn:
    """Luhn's check for any part of one row of digits. It keeps most order numbers and timestamps readable.

    Every second digit counts double, from the last but one. So there are two running sums over the row, one for even and
    one for odd positions, and the sum of a part is the difference of two of their values.
    """

    def __init__(self, digits: str) -> None:
        values = [(value, value * 2 - 9 * (value > 4)) for value in map(int, digits)]  # noqa: PLR2004  # the formula
        self._sums = [
            [0, *accumulate(value[place % 2 == doubled] for place, value in enumerate(values))] for doubled in (0, 1)
        ]

    def holds_for(self, start: int, end: int) -> bool:
        sums = self._sums[end % 2]
        return (sums[end] - sums[start]) % 10 == 0


def _is_card_number(text: str) -> bool:
    return _Luhn(text).holds_for(0, len(text))
