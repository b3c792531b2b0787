"""Convert any values to JSON that PostgreSQL accepts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

# A NUL as JSON writes it, which PostgreSQL refuses; but not an escaped backslash followed by u0000.
_NUL = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")


def as_plain_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with every value that JSON does not support as text, because mails and alerts must never fail the caller."""
    written = json.dumps({str(name): value for name, value in values.items()}, default=_as_text)
    plain: dict[str, Any] = json.loads(_NUL.sub(r"\1", written))
    return plain


def _as_text(value: Any) -> Any:
    try:
        return DjangoJSONEncoder().default(value)
    except TypeError:
        return str(value)
