"""The buttons an object's page offers in its present state: forms for what people and banks do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from django.http import QueryDict

from sandbox.store import Body


@dataclass(frozen=True)
class Choice:
    value: str
    text: str


@dataclass(frozen=True)
class Input:
    """A field of a button's form; with `choices` a select, else an input of `type`."""

    name: str
    label: str
    type: str = "text"
    value: str = ""
    placeholder: str = ""
    choices: Sequence[Choice] = ()
    is_required: bool = False


Deed: TypeAlias = Callable[[Body, QueryDict], object]
When: TypeAlias = Callable[[Body], bool]
Inputs: TypeAlias = Callable[[Body], Sequence[Input]]


@dataclass(frozen=True)
class Button:
    """One form: pressing it calls `deed` with the object, which may raise ApiError or ValueError."""

    name: str
    label: str
    deed: Deed
    when: When
    inputs: Inputs
    about: str = ""
    is_grave: bool = False


@dataclass(frozen=True)
class Offer:
    """A button as a page shows it: the object it acts on, and its inputs."""

    object_id: str
    button: Button
    inputs: Sequence[Input] = field(default=())
    whose: str = ""


_buttons: dict[str, dict[str, Button]] = {}


def _always(_body: Body) -> bool:
    return True


def _no_inputs(_body: Body) -> Sequence[Input]:
    return ()


def button(  # noqa: PLR0913 -- what a button is
    kind: str,
    name: str,
    label: str,
    *,
    when: When = _always,
    inputs: Inputs = _no_inputs,
    about: str = "",
    is_grave: bool = False,
) -> Callable[[Deed], Deed]:
    """Offer the decorated function on the pages of a kind, while `when` holds."""

    def register(deed: Deed) -> Deed:
        _buttons.setdefault(kind, {})[name] = Button(name, label, deed, when, inputs, about, is_grave)
        return deed

    return register


def buttons_of(kind: str) -> Mapping[str, Button]:
    return _buttons.get(kind, {})


def offers_for(body: Body, *, whose: str = "") -> list[Offer]:
    """The buttons for an object in its present state."""
    if body.get("deleted"):
        return []
    return [
        Offer(body["id"], one, one.inputs(body), whose)
        for one in buttons_of(body.get("object", "")).values()
        if one.when(body)
    ]


def one_of(name: str, label: str, values: Sequence[str], *, nothing: str = "") -> Input:
    """A select; with `nothing` its first choice is none."""
    choices = [Choice(value, value.replace("_", " ")) for value in values]
    return Input(name, label, choices=[Choice("", nothing), *choices] if nothing else choices)
