"""Form bodies with brackets, as every Stripe client sends them (docs: "Request encoding").

Accepts indexed arrays (`a[0][b]=1`, from stripe-python) and plain ones (`a[]=1`, from curl and others). Input that no
client sends is refused before it is decoded further: invalid UTF-8, NUL, thousands of keys, deep nesting.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qsl

Raw: TypeAlias = "str | Upload | list[Raw] | dict[str, Raw]"

# The longest calls, invoices and sessions with all their lines, have a few hundred fields and nest six levels deep.
MOST_FIELDS = 2000
DEEPEST = 16
_NAME = re.compile(r"[^\[\]]+(\[[^\[\]]*\])*")
_SEGMENT = re.compile(r"\[([^\[\]]*)\]")


class Malformed(ValueError):
    """A body that is not a form, or exceeds the limits of a client's form; the message says what is wrong."""


@dataclass(frozen=True)
class Upload:
    """A file sent in a form."""

    name: str
    content: bytes = field(repr=False)

    def __str__(self) -> str:
        return f"{self.name} {hashlib.sha256(self.content).hexdigest()}"


def decode(encoded: bytes | str) -> dict[str, Raw]:
    """Decode to nested hashes and lists of strings; indexed arrays become hashes with digit keys. Raises Malformed."""
    try:
        text = encoded if isinstance(encoded, str) else encoded.decode()
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
        "".join(name + value for name, value in pairs).encode()
    except UnicodeError as error:
        raise Malformed("the parameters have to be encoded in UTF-8") from error
    except ValueError as error:
        raise Malformed(f"a request can have up to {MOST_FIELDS} parameters") from error
    return nest(pairs)


def nest(pairs: Iterable[tuple[str, str | Upload]]) -> dict[str, Raw]:
    """Build nested hashes from keys with brackets. Raises Malformed."""
    decoded: dict[str, Raw] = {}
    for name, value in pairs:
        if "\0" in name or (isinstance(value, str) and "\0" in value):
            raise Malformed("parameters cannot contain NUL characters")
        _place(decoded, _path(name), value)
    return decoded


def _path(name: str) -> list[str]:
    # Unmatched brackets are kept as part of the name; no parameter has such a name, so it is refused as unknown.
    if not _NAME.fullmatch(name):
        return [name]
    head = name.split("[", 1)[0]
    path = [head, *_SEGMENT.findall(name[len(head) :])]
    if len(path) > DEEPEST:
        raise Malformed(f"parameters can be nested up to {DEEPEST} levels deep, and {name[:100]} is deeper")
    return path


def _place(target: dict[str, Raw], path: list[str], value: str | Upload) -> None:
    key, rest = path[0], path[1:]
    if not rest:
        target[key] = value
    elif rest[0] == "":
        items = target.setdefault(key, [])
        if not isinstance(items, list):
            raise _two_things(key)
        _append(items, rest[1:], value)
    else:
        child = target.setdefault(key, {})
        if not isinstance(child, dict):
            raise _two_things(key)
        _place(child, rest, value)


def _append(items: list[Raw], path: list[str], value: str | Upload) -> None:
    """Append to an array: `a[][x]=1&a[][y]=2&a[][x]=3` has two items, because a repeated key starts a new one."""
    if not path:
        items.append(value)
        return
    last = items[-1] if items else None
    if not isinstance(last, dict) or (len(path) == 1 and path[0] in last):
        last = {}
        items.append(last)
    _place(last, path, value)


def _two_things(key: str) -> Malformed:
    return Malformed(f"{key[:100]} is sent as two different things, such as a string and a hash")
