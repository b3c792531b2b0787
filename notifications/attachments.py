"""Files attached to mails: small texts stored in the mail's row, or files rendered again whenever the mail is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string

Renderer = Callable[[str], bytes]
_renderers: dict[str, Renderer | str] = {}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A small text file, such as a calendar entry. `mime` is type and subtype: text/calendar."""

    name: str
    mime: str
    text: str


@dataclass(frozen=True, slots=True)
class RenderedAttachment:
    """A file that can be rendered again at any time from `reference`, so its content is not stored.

    `renderer` is a name registered with `register_renderer`.
    """

    name: str
    mime: str
    renderer: str
    reference: str


class UnknownRenderer(Exception):
    """No renderer is registered under this name: the app that rendered such files was removed."""


def register_renderer(name: str, renderer: Renderer | str) -> None:
    """Register the renderer that makes files from their reference under `name`. Called in an AppConfig's ready().

    A dotted path is imported when the first file is rendered: PDF libraries take half a second to load, and most
    processes never need them.
    """
    if name in _renderers:
        raise ValueError(f"{name} is already registered.")
    _renderers[name] = renderer


def content_of(stored: dict[str, Any]) -> str | bytes:
    """The content of an attachment in a mail's row. Raises UnknownRenderer and any exception of the renderer."""
    if "renderer" not in stored:
        text: str = stored["text"]
        return text
    try:
        renderer = _renderers[stored["renderer"]]
    except KeyError:
        raise UnknownRenderer(stored["renderer"]) from None
    render: Renderer = import_string(renderer) if isinstance(renderer, str) else renderer
    return render(stored["reference"])


def file_name(stored: dict[str, Any]) -> str:
    """The attachment's name without characters that could break out of its header or the reader's folder."""
    return "".join(letter if letter.isprintable() and letter not in '/\\"' else "-" for letter in stored["name"])
