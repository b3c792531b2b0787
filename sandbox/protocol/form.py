"""Form bodies with brackets, as every Stripe client sends them (docs: "Request encoding").

Accepts indexed arrays (`a[0][b]=1`, from stripe-python) and bare ones (`a[]=1`, from curl and others). What no client
would send is refused before anything is built of it: bytes that are no UTF-8, NUL, thousands of keys, deep nesting.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qsl

Raw: TypeAlias = "str | Upload | list[Raw] | dict[str, Raw]"

# The longest calls there are, invoices and sessions with all their lines, have a few hundred and go six deep.
MOST_FIELDS = 2000
DEEPEST = 16
_NAME = re.compile(r"[^\[\]]+(\[[^\[\]]*\])*")
_SEGMENT = re.compile(r"\[([^\[\]]*)\]")


class Malformed(ValueError):
    """A body that is not a form, or not one that a client would send; the message says what is wrong."""


@dataclass(frozen=True)
class Upload:
    """A file that came with a form."""

    name: str
    content: bytes = field(repr=False)

    def __str__(self) -> str:
        return f"{self.name} {hashlib.sha256(self.content).hexdigest()}"


def decode(encoded: bytes | str) -> dict[str, Raw]:
    """Nested hashes and lists of strings. Indexed arrays come out as hashes with digits for keys. Raises Malformed."""
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
    """Nested hashes out of keys with brackets. Raises Malformed."""
    decoded: dict[str, Raw] = {}
    for name, value in pairs:
        if "\0" in name or (isinstance(value, str) and "\0" in value):
            raise Malformed("parameters cannot contain NUL characters")
        _place(decoded, _path(name), value)
    return decoded


def _path(name: str) -> list[str]:
    # Brackets that do not match belong to the name; nothing is called that, so it is refused by its name.
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
    """`a[][x]=1&a[][y]=2&a[][x]=3` is two items: a repeated key begins the next one."""
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
