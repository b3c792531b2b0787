"""Files sent along with mails: small texts kept in the mail's row, or files rendered anew whenever the mail goes out."""

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
    """A file that can be rendered again at any time from `reference`, so the row holds no bytes of it.

    `renderer` is a name given to `register_renderer`.
    """

    name: str
    mime: str
    renderer: str
    reference: str


class UnknownRenderer(Exception):
    """Nothing is registered under this name: the app that rendered such files was removed."""


def register_renderer(name: str, renderer: Renderer | str) -> None:
    """Have `renderer` make the files of this name from their reference. Called in an AppConfig's ready().

    A dotted path is imported when the first file is rendered: PDF libraries take half a second to load, and most
    processes never need one.
    """
    if name in _renderers:
        raise ValueError(f"{name} is registered already.")
    _renderers[name] = renderer


def content_of(stored: dict[str, Any]) -> str | bytes:
    """What an attachment in a mail's row holds. Raises UnknownRenderer, and whatever the renderer raises."""
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
    """The attachment's name without anything that could leave its header or its reader's folder."""
    return "".join(letter if letter.isprintable() and letter not in '/\\"' else "-" for letter in stored["name"])
