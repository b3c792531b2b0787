"""What staff do about each kind of alert, and where: shown with the alert, in its mail and in the admin.

Kept apart from the code that raises alerts: staff read it when they look, so it also explains alerts from before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    """What solves a kind of alert; `page` makes the path of the page for it from what follows the kind in the key."""

    what_to_do: str
    page: Callable[[str], str] = lambda _about: ""


_advice: dict[str, Advice] = {}


def register_advice(table: Mapping[str, Advice]) -> None:
    """Add an app's kinds of alerts. The kind is the part of an alert's key before the first colon."""
    if known := _advice.keys() & table.keys():
        raise ValueError(f"There is advice on {', '.join(sorted(known))} already.")
    _advice.update(table)


def advice_on(key: str) -> Advice | None:
    """The advice on an alert with this key; None if its kind has none."""
    return _advice.get(key.partition(":")[0])


def page_for(key: str) -> str:
    """The path of the page on which staff solve an alert with this key; empty if there is none."""
    advice = advice_on(key)
    return advice.page(key.partition(":")[2]) if advice else ""
