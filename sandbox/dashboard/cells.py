"""The cells of a table: text, link and CSS class. Templates only print these."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from django.urls import reverse

from sandbox.protocol.money import CURRENCIES, written
from sandbox.store import Body

NOTHING = "—"
GOOD = frozenset(
    ("succeeded", "active", "paid", "available", "complete", "won", "enabled", "ready", "trialing", "yes", "completed")
)
BAD = frozenset(
    ("failed", "canceled", "expired", "lost", "abandoned", "dropped", "past_due", "unpaid", "uncollectible", "void",
     "needs_response", "warning_needs_response", "incomplete_expired", "disabled", "restricted", "deleted", "disputed")
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """`look` is a CSS class: mono, money, good, bad, quiet, state."""

    text: str
    href: str = ""
    look: str = ""


Reader: TypeAlias = Callable[[Body], Cell]


@dataclass(frozen=True)
class Column:
    title: str
    read: Reader


def text_of(value: Any, *, look: str = "") -> Cell:
    """Any value as text; a dash for None or an empty string."""
    if value is None or value == "":
        return Cell(NOTHING, look="quiet")
    if isinstance(value, bool):
        return Cell("yes" if value else "no", look=look)
    return Cell(str(value), look=look)


def money_of(amount_minor: Any, currency: Any) -> Cell:
    """An amount in minor units, formatted."""
    if not isinstance(amount_minor, int) or isinstance(amount_minor, bool) or currency not in CURRENCIES:
        return text_of(amount_minor, look="money")
    return Cell(written(amount_minor, currency), look="money")


def moment_of(seconds: Any) -> Cell:
    """Seconds since the epoch as a date and time in UTC."""
    if not isinstance(seconds, int | float):
        return text_of(seconds)
    try:
        return Cell(f"{datetime.fromtimestamp(seconds, UTC):%d %b %Y, %H:%M:%S}")
    except (OverflowError, ValueError, OSError):
        return Cell(str(seconds))


def object_of(object_id: Any, text: str = "") -> Cell:
    """A link to an object's page."""
    if not isinstance(object_id, str) or not object_id:
        return text_of(None)
    return Cell(text or object_id, reverse("object", args=[object_id]), "" if text else "mono")


def state_of(state: Any) -> Cell:
    """A state, coloured as good, bad or open."""
    word = "yes" if state is True else "no" if state is False else str(state or NOTHING)
    return Cell(word.replace("_", " "), look=f"state {'good' if word in GOOD else 'bad' if word in BAD else 'open'}")


def at(body: Any, path: str) -> Any:
    """The value at a dotted path, or None if the path does not exist."""
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def text(title: str, path: str) -> Column:
    return Column(title, lambda body: text_of(at(body, path)))


def code(title: str, path: str) -> Column:
    return Column(title, lambda body: text_of(at(body, path), look="mono"))


def money(title: str, path: str = "amount") -> Column:
    return Column(title, lambda body: money_of(at(body, path), body.get("currency")))


def state(title: str = "Status", path: str = "status") -> Column:
    return Column(title, lambda body: state_of("deleted" if body.get("deleted") else at(body, path)))


def moment(title: str = "Created", path: str = "created") -> Column:
    return Column(title, lambda body: moment_of(at(body, path)))


def link(title: str, path: str) -> Column:
    """A column with a link to another object, stored as an id or expanded."""

    def read(body: Body) -> Cell:
        value = at(body, path)
        return object_of(value.get("id") if isinstance(value, dict) else value)

    return Column(title, read)


def itself(title: str = "Id", path: str = "id") -> Column:
    """A column with a link to the object itself, with the text at `path`."""
    return Column(title, lambda body: object_of(body.get("id"), str(at(body, path) or "") if path != "id" else ""))
