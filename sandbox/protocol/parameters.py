"""Declare what a call accepts, and read it: unknown, missing and malformed parameters are refused.

The order of checks is Stripe's: unknown parameters first, then each value. The resources check later whether objects
exist and what state they are in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol, TypeAlias

from sandbox.protocol import errors
from sandbox.protocol.errors import ApiError
from sandbox.protocol.form import Raw
from sandbox.protocol.money import CURRENCIES

METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500


class Spec(Protocol):
    """How to read one value; `path` is its name as the client wrote it, such as `a[0][b]`."""

    def read(self, raw: Raw, path: str) -> Any: ...


Fields: TypeAlias = Mapping[str, Spec]


def _as_text(raw: Raw, path: str) -> str:
    if not isinstance(raw, str):
        raise ApiError(f"Invalid string: {raw}", param=path)
    return raw


@dataclass(frozen=True)
class Text:
    """A string. An empty value unsets a `clearable` one and is kept as an empty string by a `keeps_empty` one."""

    max_length: int = 5000
    choices: tuple[str, ...] = ()
    clearable: bool = False
    keeps_empty: bool = False

    def read(self, raw: Raw, path: str) -> str | None:
        text = _as_text(raw, path)
        if text == "" and not self.keeps_empty:
            if self.clearable:
                return None
            raise errors.empty_parameter(path)
        if self.choices and text not in self.choices:
            raise errors.invalid_choice(path, self.choices)
        if len(text) > self.max_length:
            raise ApiError(
                f"Invalid string: {text[:20]}...{text[-20:]}; must be at most {self.max_length} characters",
                param=path,
            )
        return text


_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_INDEX = re.compile(r"[0-9]{1,9}")
# The largest integer that a JSON number holds exactly in every language; no amount or count at Stripe comes near it.
LARGEST = 2**53


@dataclass(frozen=True)
class Integer:
    """A whole number within bounds."""

    minimum: int = -LARGEST
    maximum: int = LARGEST

    def read(self, raw: Raw, path: str) -> int:
        text = _as_text(raw, path)
        try:
            number = int(text) if _WHOLE.fullmatch(text) else None
        except ValueError:
            number = None
        if number is None:
            raise ApiError(f"Invalid integer: {text}", code="parameter_invalid_integer", param=path)
        if number < self.minimum:
            raise ApiError(
                f"This value must be greater than or equal to {self.minimum}.",
                code="parameter_invalid_integer",
                param=path,
            )
        if number > self.maximum:
            raise ApiError(
                f"This value must be less than or equal to {self.maximum}.",
                code="parameter_invalid_integer",
                param=path,
            )
        return number


@dataclass(frozen=True)
class PositiveInteger:
    """A whole number from 1, with the error message of Stripe's older calls."""

    def read(self, raw: Raw, path: str) -> int:
        number = Integer().read(raw, path)
        if number < 1:
            raise ApiError("Invalid positive integer", code="parameter_invalid_integer", param=path)
        return number


@dataclass(frozen=True)
class Boolean:
    def read(self, raw: Raw, path: str) -> bool:
        text = _as_text(raw, path)
        if text not in ("true", "false"):
            raise ApiError(f"Invalid boolean: {text}", param=path)
        return text == "true"


@dataclass(frozen=True)
class Moment:
    """Seconds since the epoch."""

    def read(self, raw: Raw, path: str) -> int:
        return Integer(0).read(raw, path)


@dataclass(frozen=True)
class DecimalText:
    """A decimal number, kept as text so that it is not rounded."""

    places: int = 12

    def read(self, raw: Raw, path: str) -> str:
        text = _as_text(raw, path)
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number) > LARGEST:
            raise ApiError(f"Invalid decimal: {text}", code="parameter_invalid_decimal", param=path)
        if -int(number.as_tuple().exponent) > self.places:
            raise ApiError(f"Invalid decimal: {text}; must have at most {self.places} decimal places", param=path)
        return text


@dataclass(frozen=True)
class Number:
    """A decimal number read as a float, such as a percentage."""

    def read(self, raw: Raw, path: str) -> float:
        return float(DecimalText().read(raw, path))


@dataclass(frozen=True)
class Currency:
    def read(self, raw: Raw, path: str) -> str:
        text = _as_text(raw, path).lower()
        if text not in CURRENCIES:
            listed = ", ".join(sorted(CURRENCIES))
            raise ApiError(
                f"Invalid currency: {text}. Stripe currently supports these currencies: {listed}", param=path
            )
        return text


@dataclass(frozen=True)
class Metadata:
    """Keys and strings; an empty value removes its key, an empty string as the whole removes all (docs: "Metadata")."""

    def read(self, raw: Raw, path: str) -> dict[str, str] | None:
        if raw == "":
            return None
        if not isinstance(raw, dict):
            raise ApiError(f"Invalid hash: {raw}", param=path)
        if len(raw) > METADATA_KEYS:
            raise ApiError(f"Metadata can have up to {METADATA_KEYS} keys.", param=path)
        for key, value in raw.items():
            text = _as_text(value, f"{path}[{key}]")
            if len(key) > METADATA_KEY_LENGTH or len(text) > METADATA_VALUE_LENGTH:
                raise ApiError(
                    f"Metadata keys can be up to {METADATA_KEY_LENGTH} characters long and values up to "
                    f"{METADATA_VALUE_LENGTH} characters long.",
                    param=f"{path}[{key}]",
                )
        return {key: str(value) for key, value in raw.items()}


@dataclass(frozen=True)
class ListOf:
    item: Spec
    clearable: bool = False

    def read(self, raw: Raw, path: str) -> list[Any]:
        if raw == "" and self.clearable:
            return []
        if isinstance(raw, dict) and raw and all(_INDEX.fullmatch(key) for key in raw):
            raw = [raw[key] for key in sorted(raw, key=int)]
        if not isinstance(raw, list):
            raise ApiError("Invalid array", param=path)
        return [self.item.read(value, f"{path}[{index}]") for index, value in enumerate(raw)]


@dataclass(frozen=True)
class Hash:
    """A nested hash; fields that were not sent are absent from the result."""

    fields: Mapping[str, Spec]
    required: tuple[str, ...] = ()
    clearable: bool = False

    def read(self, raw: Raw, path: str) -> dict[str, Any] | None:
        if raw == "" and self.clearable:
            return None
        if not isinstance(raw, dict):
            raise ApiError("Invalid hash", param=path)
        named = {key: f"{path}[{key}]" if path else key for key in (*raw, *self.required)}
        for key in raw:
            if key not in self.fields:
                raise errors.unknown_parameter(named[key])
        values = {key: self.fields[key].read(value, named[key]) for key, value in raw.items()}
        for key in self.required:
            if key not in raw:
                raise errors.missing_parameter(named[key])
        return values


@dataclass(frozen=True)
class Either:
    """A hash if it was sent with brackets, otherwise a plain value: `created[gte]=1` or `created=1`."""

    hash: Hash
    plain: Spec

    def read(self, raw: Raw, path: str) -> Any:
        return self.hash.read(raw, path) if isinstance(raw, dict) else self.plain.read(raw, path)


@dataclass(frozen=True)
class OneOf:
    """The first of several specs that accepts the value; raises the last one's error if none does."""

    specs: tuple[Spec, ...]

    def read(self, raw: Raw, path: str) -> Any:
        for spec in self.specs[:-1]:
            try:
                return spec.read(raw, path)
            except ApiError:
                continue
        return self.specs[-1].read(raw, path)


@dataclass(frozen=True)
class MapOf:
    """A hash whose keys the caller chooses, such as amounts by currency."""

    item: Spec

    def read(self, raw: Raw, path: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise ApiError("Invalid hash", param=path)
        return {key: self.item.read(value, f"{path}[{key}]") for key, value in raw.items()}


@dataclass(frozen=True)
class NotYet:
    """A parameter that Stripe accepts and the sandbox does not implement; `harmless` values have no effect and pass."""

    harmless: tuple[Raw, ...] = field(default=("", "false"))

    def read(self, raw: Raw, path: str) -> None:
        if raw not in self.harmless:
            raise errors.not_in_sandbox_yet(path)


# Forms send fields that were left blank, and Stripe returns them as empty strings.
ADDRESS = Hash({part: Text(keeps_empty=True) for part in ("city", "country", "line1", "line2", "postal_code", "state")})
BILLING_DETAILS = Hash(
    {
        "address": ADDRESS,
        "email": Text(clearable=True),
        "name": Text(clearable=True),
        "phone": Text(clearable=True),
        "tax_id": Text(clearable=True),
    }
)
CREATED = Either(Hash({bound: Integer() for bound in ("gt", "gte", "lt", "lte")}), Integer())
PAGING: Mapping[str, Spec] = {
    "limit": Integer(1, 100),
    "starting_after": Text(),
    "ending_before": Text(),
}


def merge_metadata(current: dict[str, str], change: dict[str, str] | None) -> dict[str, str]:
    """The metadata after a change: keys are merged, an empty value removes its key, None removes all."""
    if change is None:
        return {}
    return {key: value for key, value in (current | change).items() if value != ""}
