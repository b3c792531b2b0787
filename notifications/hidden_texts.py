"""Texts of mails that only the recipient may read, such as a code: rendered when the mail is sent, and never stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notifications.attachments import content_of

_PLACEHOLDER = "[only in the email that was sent]"


def hidden_text(*, renderer: str, reference: str) -> dict[str, str]:
    """A value of a mail's context: the text that this renderer makes of the reference (`register_renderer`)."""
    return {"hidden": "text", "renderer": renderer, "reference": reference}


def has_hidden(context: Mapping[str, Any]) -> bool:
    """Whether a mail's context has such a value."""
    return any(_is_hidden(value) for value in context.values())


def fill_hidden(context: Mapping[str, Any], *, is_shown: bool) -> dict[str, Any]:
    """The context with the texts, or with a placeholder for each where they must not be shown."""
    return {name: _text_of(value, is_shown=is_shown) if _is_hidden(value) else value for name, value in context.items()}


def _is_hidden(value: object) -> bool:
    return isinstance(value, dict) and value.get("hidden") == "text"


def _text_of(value: dict[str, str], *, is_shown: bool) -> str:
    if not is_shown:
        return _PLACEHOLDER
    text = content_of(value)
    return text.decode() if isinstance(text, bytes) else text
