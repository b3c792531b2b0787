"""Form bodies with brackets, as every Stripe client sends them (docs: "Request encoding").

Accepts indexed arrays (`a[0][b]=1`, from stripe-python) and bare ones (`a[]=1`, from curl and others).
"""

import re
from typing import TypeAlias
from urllib.parse import parse_qsl

Raw: TypeAlias = "str | list[Raw] | dict[str, Raw]"

_SEGMENT = re.compile(r"\[([^\]]*)\]")


def decode(encoded: str) -> dict[str, Raw]:
    """Nested hashes and lists of strings. Indexed arrays come out as hashes with digits for keys."""
    decoded: dict[str, Raw] = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        head = key.split("[", 1)[0]
        _place(decoded, [head, *_SEGMENT.findall(key[len(head) :])], value)
    return decoded


def _place(target: dict[str, Raw], path: list[str], value: str) -> None:
    key, rest = path[0], path[1:]
    if not rest:
        target[key] = value
    elif rest[0] == "":
        items = target.setdefault(key, [])
        if isinstance(items, list):
            _append(items, rest[1:], value)
    else:
        child = target.setdefault(key, {})
        if not isinstance(child, dict):
            child = target[key] = {}
        _place(child, rest, value)


def _append(items: list[Raw], path: list[str], value: str) -> None:
    """`a[][x]=1&a[][y]=2&a[][x]=3` is two items: a repeated key begins the next one."""
    if not path:
        items.append(value)
        return
    last = items[-1] if items else None
    if not isinstance(last, dict) or (len(path) == 1 and path[0] in last):
        last = {}
        items.append(last)
    _place(last, path, value)
