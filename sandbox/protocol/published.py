"""The parameters of each call, read from the types that stripe-python publishes.

Stripe's own client has a typed dictionary of parameters for each call. Reading it here separates three cases that a
hand-written list would confuse: a parameter Stripe does not know (refused with Stripe's message), one that Stripe knows
and the sandbox implements, and one that Stripe knows and the sandbox does not (refused as `sandbox_not_supported`).
"""

import importlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import UnionType
from typing import Any, ForwardRef, Literal, NotRequired, Required, Union, get_args, get_origin

import stripe.params
from stripe._request_options import RequestOptions
from typing_extensions import is_typeddict

from sandbox.protocol.parameters import (
    Boolean,
    Currency,
    DecimalText,
    Either,
    Hash,
    Integer,
    ListOf,
    MapOf,
    Metadata,
    Moment,
    NotYet,
    Number,
    OneOf,
    Spec,
    Text,
)  # fmt: skip

# Options of the request, which are not parameters of the call, and `expand`, which every route accepts.
_NOT_PARAMETERS = frozenset(RequestOptions.__annotations__) | {"expand"}
# An update clears these with an empty string, although the published types do not say so (observed at Stripe).
_EMPTIED = ("default_payment_method", "default_source", "footer", "payment_method", "transfer_group")
_CHANGING = ("UpdateParams", "ModifyParams")
_SHIPPING_PARTS = ("carrier", "phone", "tracking_number")
_unpublished: set[str] = set()
_MOMENTS = ("created", "arrival_date", "due_date", "current_period_start", "current_period_end")


class Accepts(Mapping[str, Spec]):
    """The parameters of one call and which of them are required."""

    def __init__(self, fields: Mapping[str, Spec], required: tuple[str, ...]) -> None:
        self._fields = dict(fields)
        self.required = required

    def __getitem__(self, name: str) -> Spec:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def published(name: str, /, *supported: str, **limits: Spec) -> Accepts:
    """The parameters of a call as stripe-python types them, for example `CouponCreateParams`.

    `supported` names those the sandbox implements: `name`, or `invoice_settings.footer` for one inside a hash. All
    others are refused as not supported yet. `limits` replaces the spec of a parameter whose bounds are in no type.

    Another version of the client may have removed or renamed a parameter. One in `limits` is still read, because the
    sandbox implements its own API version; any other is left out, and `unpublished` returns it.
    """
    typed = _typed_dictionary(name)
    fields, required = _fields(typed, frozenset(supported) | frozenset(limits))
    named = {entry.split(".")[0] for entry in supported} | set(limits)
    _unpublished.update(f"{name}.{parameter}" for parameter in named - set(fields))
    return Accepts({**fields, **limits}, required)


def unpublished() -> set[str]:
    """Supported parameters that the installed client does not publish; with the locked client there are none."""
    return set(_unpublished)


def _typed_dictionary(name: str) -> Any:
    package, _, class_name = name.rpartition(".")
    module = importlib.import_module(f"{stripe.params.__name__}.{package}".rstrip("."))
    return getattr(module, class_name)


def _fields(typed: Any, supported: frozenset[str] | None) -> tuple[dict[str, Spec], tuple[str, ...]]:
    """The spec of each field and the names of the required ones; None for `supported` supports all."""
    fields: dict[str, Spec] = {}
    required = []
    for name, annotation in typed.__annotations__.items():
        if name in _NOT_PARAMETERS:
            continue
        hint, is_required = _unwrapped(annotation, typed)
        if is_required:
            required.append(name)
        if supported is None or name in supported:
            fields[name] = _spec(hint, name, typed, None)
        elif inner := frozenset(entry.partition(".")[2] for entry in supported if entry.startswith(f"{name}.")):
            fields[name] = _spec(hint, name, typed, inner)
        else:
            fields[name] = NotYet()
    return fields, tuple(required)


def _unwrapped(annotation: Any, typed: Any) -> tuple[Any, bool]:
    """A field's type without NotRequired, and whether the field is required."""
    hint = _resolved(annotation, typed)
    if get_origin(hint) in (NotRequired, Required):
        return _resolved(get_args(hint)[0], typed), get_origin(hint) is Required
    return hint, True


def _resolved(annotation: Any, typed: Any) -> Any:
    """The type of an annotation; forward references are written as strings."""
    written = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
    if isinstance(written, str):
        namespace = vars(importlib.import_module(typed.__module__))
        return eval(written, dict(namespace))  # noqa: S307 -- annotations of an installed library
    return written


def _spec(hint: Any, name: str, typed: Any, supported: frozenset[str] | None) -> Spec:
    hint = _resolved(hint, typed)
    if name == "metadata":
        return Metadata()
    if is_typeddict(hint):
        fields, required = _fields(hint, supported)
        return Hash(_with_blanks(fields, name), required)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _union(arguments, name, typed, supported)
    if origin is Literal:
        return Text(choices=arguments)
    if origin in (list, dict):
        item = _spec(arguments[-1], name, typed, supported)
        return ListOf(item) if origin is list else MapOf(item)
    return _plain(hint, name, is_change=any(mark in typed.__name__ for mark in _CHANGING))


def _with_blanks(fields: dict[str, Spec], name: str) -> dict[str, Spec]:
    """Allow the parts of an address or a parcel to be blank, because forms send blank fields."""
    if name.endswith("address"):
        return {part: Text(keeps_empty=True) if spec == Text() else spec for part, spec in fields.items()}
    if name == "shipping":
        return fields | {part: Text(clearable=True) for part in _SHIPPING_PARTS if part in fields}
    return fields


def _plain(hint: Any, name: str, *, is_change: bool) -> Spec:
    if hint is bool:
        return Boolean()
    if hint is int:
        return Integer(1, 100) if name == "limit" else Integer()
    if hint is float:
        return Number()
    if hint is Decimal:
        return DecimalText()
    if name == "currency" or name.endswith("_currency"):
        return Currency()
    return Text(clearable=is_change and name in _EMPTIED)


def _union(arguments: tuple[Any, ...], name: str, typed: Any, supported: frozenset[str] | None) -> Spec:
    members = [_resolved(member, typed) for member in arguments]
    # A hash may also be passed as one of the client's objects; the request is the same.
    members = [member for member in members if "UntypedStripeObject" not in str(member)]
    words = tuple(word for member in members if get_origin(member) is Literal for word in get_args(member))
    others = [member for member in members if get_origin(member) is not Literal]
    is_clearable = "" in words
    choices = tuple(word for word in words if word)
    if choices and all(member is str for member in others):
        # The client's types leave enumerations open for later versions; Stripe itself refuses unknown values.
        return Text(choices=choices, clearable=is_clearable)
    specs: list[Spec] = [_clearable(_spec(member, name, typed, supported), is_clearable) for member in others]
    if choices:
        specs.append(Text(choices=choices, clearable=is_clearable))
    return _either(specs, name)


def _clearable(spec: Spec, is_clearable: bool) -> Spec:
    if not is_clearable:
        return spec
    if isinstance(spec, Hash):
        return Hash(spec.fields, spec.required, clearable=True)
    if isinstance(spec, ListOf):
        return ListOf(spec.item, clearable=True)
    if isinstance(spec, Text):
        return Text(spec.max_length, spec.choices, clearable=True)
    return OneOf((Text(choices=("",), clearable=True), spec))


def _either(specs: list[Spec], name: str) -> Spec:
    hashes = [spec for spec in specs if isinstance(spec, Hash)]
    plain = [spec for spec in specs if not isinstance(spec, Hash)]
    if name in _MOMENTS and hashes:
        return Either(hashes[0], Moment())
    remaining = plain[0] if len(plain) == 1 else OneOf(tuple(plain)) if plain else None
    if hashes and remaining:
        return Either(hashes[0], remaining)
    return hashes[0] if hashes else remaining or Text()
