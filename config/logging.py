"""How Lectern logs: one line per event, JSON in production, with the request's id, and nothing that must not be there.

Everything passes one redaction, whoever logged it: our own code through structlog, Django and the libraries through the
standard library.
"""

from __future__ import annotations

import logging.config
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_SECRET_NAMES = re.compile(
    r"passw|secret|token|authorization|cookie|api_?key|signature|csrf|session_?key|card_?number|cvc|iban", re.IGNORECASE
)
# UUIDs (Celery's task ids) and the like written without hyphens: their digits are nobody's card, whatever Luhn says.
_IDS = re.compile(
    r"(?<![0-9A-Za-z])("
    r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
    r"|(?=\d*[a-f])[0-9a-f]{32,64}"
    r")(?![0-9A-Za-z])"
)
# Digits in groups, as people write card numbers and much else; not the digits of a decimal number.
_DIGIT_GROUPS = re.compile(r"(?<!\d)(?<!\d\.)\d+(?:[ -]\d+)*(?!\d|\.\d)")
_CARD_LENGTHS = range(13, 20)
_PATTERNS = (
    # Stripe's keys, webhook secrets and client secrets.
    (re.compile(r"\b(?:sk|rk|pk)_(?:live|test)_\w+|\bwhsec_\w+|\b(?:pi|seti|cs)_\w+_secret_\w+"), "[secret]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), r"\1 [secret]"),
    # The password of an address such as postgres://user:password@host.
    (re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s@]+@"), r"\1[secret]@"),
    # Whoever reads the link of a password reset or an e-mail confirmation in a log could use it.
    (re.compile(r"(/(?:reset/key|confirm-email)/)[^/\s\"']+"), r"\1[token]"),
    (re.compile(r"[\w.!#$%&'*+?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    # password=..., "token": "...", {'secret': '...'}, whether in a form body, a repr or a query string.
    (
        re.compile(
            r"""(?ix)
            ( (?:passw(?:or)?d|passphrase|secret|token|api_?key|cvc|cookie|sessionid) [\w-]* (?:\\*["'])? \s* [:=]\s* )
            (?: \\+["'][^"']*["'] | "(?:[^"\\]|\\+[^\\])*" | '(?:[^'\\]|\\+[^\\])*' | (?!\[(?:secret|token)\]) [^\s&,;}\])]+ )"""
        ),
        r"\1[redacted]",
    ),
)


def apply(settings: dict[str, Any]) -> None:
    """Put `settings` in force, and structlog on top of the standard library. Django's LOGGING_CONFIG."""
    logging.config.dictConfig(settings)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def logging_settings(*, as_json: bool, level: str) -> dict[str, Any]:
    """Everything to standard error, where the process manager collects it; as lines to read, or as JSON to search."""
    renderer: Any = (
        structlog.processors.JSONRenderer(default=repr)
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    through_root = {"handlers": [], "propagate": True, "level": "NOTSET"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                # Of what libraries attach to their records only this is wanted: Django attaches whole requests.
                "foreign_pre_chain": [structlog.stdlib.ExtraAdder(allow=["status_code"]), *_shared_processors()],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    redact,
                    renderer,
                ],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": level},
        # Django's own handlers are taken off, so that each line is written once and redacted.
        "loggers": {
            "django": {**through_root, "level": level},
            "django.server": through_root,
            # Forty lines at level INFO for each receipt that is drawn.
            "fontTools": {"level": "WARNING"},
        },
    }


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor that takes secrets and personal data out of a whole event."""
    return {name: _redacted(value, name) for name, value in event.items()}


def redact_text(text: str) -> str:
    """`text` without keys, passwords, card numbers and e-mail addresses."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    # Splitting at a group leaves the ids themselves at the odd places.
    pieces = _IDS.split(text)
    pieces[::2] = [_DIGIT_GROUPS.sub(_without_cards, piece) for piece in pieces[::2]]
    return "".join(pieces)


def _shared_processors() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
    ]


def _redacted(value: Any, name: str = "") -> Any:
    if _SECRET_NAMES.search(name) and value not in (None, "", True, False):
        return "[redacted]"
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if redact_text(str(value)) == str(value) else "[card]"
    if isinstance(value, Mapping):
        return {redact_text(str(key)): _redacted(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(inner) for inner in value]
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return redact_text(value if isinstance(value, str) else repr(value))


def _without_cards(found: re.Match[str]) -> str:
    """The digits without card numbers, also where a date stands before one or its expiry after it."""
    groups = re.split(r"([ -])", found[0])
    numbers = groups[::2]
    hidden: set[int] = set()
    for start in range(len(numbers)):
        digits = ""
        for end in range(start, len(numbers)):
            digits += numbers[end]
            if len(digits) >= _CARD_LENGTHS.stop:
                break
            if len(digits) in _CARD_LENGTHS and _is_card_number(digits):
                hidden.update(range(start, end + 1))
    kept = ["[card]" if place in hidden else number for place, number in enumerate(numbers)]
    kept_groups = [part for pair in zip(kept, [*groups[1::2], ""], strict=True) for part in pair]
    return re.sub(r"\[card\](?:[ -]\[card\])+", "[card]", "".join(kept_groups))


def _is_card_number(text: str) -> bool:
    # Luhn's check keeps order numbers and timestamps readable.
    digits = [int(digit) for digit in text]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]  # noqa: PLR2004  # part of the formula
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
