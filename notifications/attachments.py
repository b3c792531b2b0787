"""Files sent along with mails: small texts kept in the mail's row, or files drawn anew whenever the mail goes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Drawer = Callable[[str], bytes]
_drawers: dict[str, Drawer] = {}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A small text file, such as a calendar entry. `mime` is type and subtype: text/calendar."""

    name: str
    mime: str
    text: str


@dataclass(frozen=True, slots=True)
class DrawnAttachment:
    """A file that can be drawn again at any time from `reference`, so the row holds no bytes of it.

    `drawer` is a name given to `register_drawer`.
    """

    name: str
    mime: str
    drawer: str
    reference: str


class UnknownDrawer(Exception):
    """Nothing is registered under this name: the app that drew such files was removed."""


def register_drawer(name: str, draw: Drawer) -> None:
    """Have `draw` make the files of this name; it gets the reference. Called in an AppConfig's ready()."""
    if name in _drawers:
        raise ValueError(f"{name} is registered already.")
    _drawers[name] = draw


def content_of(stored: dict[str, Any]) -> str | bytes:
    """What an attachment in a mail's row holds. Raises UnknownDrawer, and whatever the drawer raises."""
    if "drawer" not in stored:
        text: str = stored["text"]
        return text
    try:
        draw = _drawers[stored["drawer"]]
    except KeyError:
        raise UnknownDrawer(stored["drawer"]) from None
    return draw(stored["reference"])


def file_name(stored: dict[str, Any]) -> str:
    """The attachment's name without anything that could leave its header or its reader's folder."""
    return "".join(letter if letter.isprintable() and letter not in '/\\"' else "-" for letter in stored["name"])
