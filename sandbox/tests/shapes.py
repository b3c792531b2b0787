"""Check a body against stripe-python's published types: no missing fields, no unknown fields, no wrong types."""

import importlib
import inspect
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

from stripe._list_object import ListObject
from stripe._object_classes import OBJECT_CLASSES
from stripe._search_result_object import SearchResultObject
from stripe._stripe_object import StripeObject, UntypedStripeObject

# Kinds without their own class in stripe-python.
_UNTYPED = ("list", "search_result")
# Fields that Stripe still sends (recorded traffic) although its types no longer have them.
_STILL_SENT = {"Charge": {"destination", "dispute", "order"}, "Subscription": {"plan", "quantity"}}


def problems(body: Any, path: str = "") -> list[str]:
    """The problems of an API object, each naming its field; empty if there are none."""
    return list(_object_problems(body, path or body.get("object", "?")))


def _object_problems(body: dict[str, Any], path: str) -> Iterator[str]:
    kind = body.get("object")
    if kind in _UNTYPED:
        yield from _list_problems(body, path)
        return
    if kind not in OBJECT_CLASSES:
        yield f"{path}: no published type is called {kind!r}"
        return
    module, name = OBJECT_CLASSES[kind]
    yield from _class_problems(body, getattr(importlib.import_module(module), name), path)


def _list_problems(body: dict[str, Any], path: str) -> Iterator[str]:
    for key in ("data", "has_more", "url"):
        if key not in body:
            yield f"{path}: a list without {key}"
    for index, item in enumerate(body.get("data", ())):
        yield from _object_problems(item, f"{path}[{index}]:{item.get('object')}")


def _class_problems(body: dict[str, Any], cls: type, path: str) -> Iterator[str]:
    hints = _hints(cls)
    for key in body:
        if key not in hints and key not in _STILL_SENT.get(cls.__name__, ()):
            yield f"{path}.{key}: unknown field"
    if body.get("deleted") is True:
        return
    for key, hint in hints.items():
        if key in body:
            yield from _value_problems(body[key], hint, f"{path}.{key}")
        elif not _is_optional(hint):
            yield f"{path}.{key}: missing"


@cache
def _hints(cls: type) -> dict[str, Any]:
    hints: dict[str, Any] = {}
    renamed = {python: wire for wire, python in getattr(cls, "_field_remappings", {}).items()}
    for base in reversed(cls.__mro__):
        if base is not StripeObject and issubclass(base, StripeObject):
            for name, hint in inspect.get_annotations(base).items():
                if not name.startswith("_") and "ClassVar" not in str(hint):
                    hints[renamed.get(name, name)] = _resolved(hint, base)
    hints.pop("OBJECT_NAME", None)
    return hints


def _resolved(hint: Any, owner: type) -> Any:
    """The type of a hint that may be a string. An unknown name is an object, whose type its `object` field gives."""
    written = hint.__forward_arg__ if isinstance(hint, ForwardRef) else hint
    if not isinstance(written, str):
        return written
    try:
        return eval(written, vars(inspect.getmodule(owner)), vars(owner))
    except NameError:
        return dict


def _is_optional(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType) and type(None) in get_args(hint)


def _value_problems(value: Any, hint: Any, path: str) -> Iterator[str]:
    if isinstance(hint, ForwardRef | str):
        # Only objects of another module are written like this; their `object` field gives the type.
        hint = dict
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        yield from _union_problems(value, arguments, path)
    elif origin is Literal:
        if value not in arguments:
            yield f"{path}: {value!r} is not one of {arguments}"
    elif origin in _CONTAINERS:
        yield from _CONTAINERS[origin](value, arguments[-1], path)
    elif inspect.isclass(hint):
        yield from _plain_problems(value, hint, path)


def _union_problems(value: Any, arguments: tuple[Any, ...], path: str) -> Iterator[str]:
    words = [word for member in arguments if get_origin(member) is Literal for word in get_args(member)]
    if words and isinstance(value, str):
        # The client's types leave enumerations open for later versions; here only the known values are allowed.
        if value not in words:
            yield f"{path}: {value!r} is not one of {tuple(words)}"
        return
    if isinstance(value, dict | list):
        arguments = tuple(member for member in arguments if member not in (str, int, float, bool, type(None)))
    found: list[list[str]] = [list(_value_problems(value, member, path)) for member in arguments]
    if not found:
        yield f"{path}: {value!r} is not expected here"
    elif all(found):
        yield from min(found, key=len)


def _items_problems(value: Any, item_hint: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: {value!r} is not a list"
        return
    for index, item in enumerate(value):
        yield from _value_problems(item, item_hint, f"{path}[{index}]")


def _hash_problems(value: Any, item_hint: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is not a hash"
        return
    for key, item in value.items():
        yield from _value_problems(item, item_hint, f"{path}.{key}")


def _embedded_list_problems(value: Any, _item_hint: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict) or value.get("object") not in _UNTYPED:
        yield f"{path}: {value!r} is not a list object"
        return
    yield from _list_problems(value, path)


_CONTAINERS: dict[Any, Callable[[Any, Any, str], Iterator[str]]] = {
    list: _items_problems,
    dict: _hash_problems,
    UntypedStripeObject: _hash_problems,
    ListObject: _embedded_list_problems,
    SearchResultObject: _embedded_list_problems,
}


def _plain_problems(value: Any, hint: type, path: str) -> Iterator[str]:
    if issubclass(hint, StripeObject) or hint is dict:
        yield from _nested_problems(value, hint, path)
    elif not isinstance(value, _WIRE_TYPES.get(hint, object)) or (isinstance(value, bool) and hint in (int, float)):
        yield f"{path}: {value!r} is not a {hint.__name__}"


# Decimals are sent as text, so that no client rounds them.
_WIRE_TYPES: dict[type, Any] = {
    Decimal: str,
    float: int | float,
    int: int,
    str: str,
    bool: bool,
    type(None): type(None),
}


def _nested_problems(value: Any, hint: type, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is not a hash"
    elif str(value.get("object")) in OBJECT_CLASSES or value.get("object") in _UNTYPED:
        yield from _object_problems(value, path)
    elif issubclass(hint, StripeObject) and hint is not StripeObject and _hints(hint):
        yield from _class_problems(value, hint, path)
