"""How messages are shown."""

from __future__ import annotations

import json
from typing import Any

from django import template

register = template.Library()


@register.filter
def pretty_json(value: Any) -> str:
    """JSON with a member on each line, for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)
