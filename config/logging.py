"""Lectern's logging: one line per event, JSON in production, with the request's id, and redacted.

All lines pass the same redaction: those of our own code, through structlog, and those of Django and the libraries,
through the standard library.
"""

from __future__ import annotations

import logging.config
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog

from config.redaction import redact_lines, redact_values

# Written by the processors below, so they need no redaction.
_OUR_OWN = ("timestamp", "level", "logger")
# May contain line breaks.
_OF_SEVERAL_LINES = ("exception", "stack")
# The start of each further line of a traceback on a terminal. No event begins like this, so no text in a traceback can
# look like an event.
_CONTINUED = "\n  | "
_LIBRARIES_LEAST_LEVEL = logging.INFO


def apply(settings: dict[str, Any]) -> None:
    """Apply `settings`, and configure structlog on top of the standard library. Django's LOGGING_CONFIG."""
    logging.config.dictConfig(settings)
    # Log Python's own warnings, too.
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def logging_settings(*, as_json: bool, level: str, ours: Iterable[str]) -> dict[str, Any]:
    """The LOGGING setting: everything to standard error, as lines for people or as JSON for searching.

    `level` is for the packages in `ours`. Libraries log nothing below INFO: at DEBUG they write whole requests, answers
    and statements, with names and addresses that no pattern can find.
    """
    through_root = {"handlers": [], "propagate": True, "level": "NOTSET"}
    libraries = logging.getLevelName(max(_LIBRARIES_LEAST_LEVEL, logging.getLevelNamesMapping()[level]))
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "config.logging.line_formatter", "as_json": as_json}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": libraries},
        # Django's own handlers are removed, so that each line is written once, and redacted.
        "loggers": {
            "django": {**through_root, "level": libraries},
            "django.server": through_root,
            # Set explicitly, since some libraries set the level of their own loggers.
            **{name: {"level": libraries} for name in ("celery", "djstripe", "psycopg", "stripe", "urllib3")},
            # At INFO it writes forty lines for each receipt.
            "fontTools": {"level": "WARNING"},
            **{name: {"level": level} for name in ours},
        },
    }


def line_formatter(*, as_json: bool) -> structlog.stdlib.ProcessorFormatter:
    """Return the formatter that turns a record of any logger into one line."""
    rendering: list[Any] = (
        [structlog.processors.JSONRenderer(default=repr)]
        if as_json
        else [_mark_continued_lines, structlog.dev.ConsoleRenderer()]
    )
    return structlog.stdlib.ProcessorFormatter(
        # Of the extra fields of libraries only this one is kept: Django attaches whole requests.
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(allow=["status_code"]), *_shared_processors()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            *rendering,
        ],
    )


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove secrets, personal data and characters that could forge lines from an event. A structlog processor."""
    unchanged = {name: event.pop(name) for name in _OUR_OWN if name in event}
    of_several_lines = {name: redact_lines(str(event.pop(name))) for name in _OF_SEVERAL_LINES if event.get(name)}
    return {**redact_values(event), **unchanged, **of_several_lines}


def _mark_continued_lines(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in _OF_SEVERAL_LINES:
        if event.get(name):
            event[name] = _CONTINUED[1:] + event[name].replace("\n", _CONTINUED)
    return event


def _shared_processors() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
    ]
