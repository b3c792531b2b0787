"""The buttons on an object's page: forms for what people and banks can do in the object's current state."""

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
    """A field of a button's form: a select if it has `choices`, otherwise an input of `type`."""

    name: str
    label: str
    type: str = "text"
    value: str = ""
    placeholder: str = ""
    choices: Sequence[Choice] = ()
    is_required: bool = False


Action: TypeAlias = Callable[[Body, QueryDict], object]
When: TypeAlias = Callable[[Body], bool]
Inputs: TypeAlias = Callable[[Body], Sequence[Input]]


@dataclass(frozen=True)
class Button:
    """One form; pressing the button calls `action` with the object, which may raise ApiError or ValueError."""

    name: str
    label: str
    action: Action
    when: When
    inputs: Inputs
    about: str = ""
    is_destructive: bool = False


@dataclass(frozen=True)
class Offer:
    """A button on a page, with the object it acts on and its inputs; `whose` is set for a related object's button."""

    object_id: str
    button: Button
    inputs: Sequence[Input] = field(default=())
    whose: str = ""


_buttons: dict[str, dict[str, Button]] = {}


def _always(_body: Body) -> bool:
    return True


def _no_inputs(_body: Body) -> Sequence[Input]:
    return ()


def button(  # noqa: PLR0913 -- the properties of a button
    kind: str,
    name: str,
    label: str,
    *,
    when: When = _always,
    inputs: Inputs = _no_inputs,
    about: str = "",
    is_destructive: bool = False,
) -> Callable[[Action], Action]:
    """Register the decorated function as a button on the pages of a kind, shown while `when` holds."""

    def register(action: Action) -> Action:
        _buttons.setdefault(kind, {})[name] = Button(name, label, action, when, inputs, about, is_destructive)
        return action

    return register


def buttons_of(kind: str) -> Mapping[str, Button]:
    return _buttons.get(kind, {})


def offers_for(body: Body, *, whose: str = "") -> list[Offer]:
    """The buttons for an object in its current state."""
    if body.get("deleted"):
        return []
    return [
        Offer(body["id"], one, one.inputs(body), whose)
        for one in buttons_of(body.get("object", "")).values()
        if one.when(body)
    ]


def one_of(name: str, label: str, values: Sequence[str], *, nothing: str = "") -> Input:
    """A select; `nothing` is the label of an empty first choice."""
    choices = [Choice(value, value.replace("_", " ")) for value in values]
    return Input(name, label, choices=[Choice("", nothing), *choices] if nothing else choices)
