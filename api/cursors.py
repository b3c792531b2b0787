"""Opaque cursors: where a page of a list ended, by the sort key of its last entry."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request


def write_cursor(at: datetime, *rest: int | str) -> str:
    """A cursor for the entry with this sort key."""
    key = json.dumps([at.isoformat(), *rest], separators=(",", ":"))
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def read_cursor(text: str, *types: type) -> tuple[datetime, Sequence[Any]] | None:
    """The sort key in a cursor: its moment, and the rest, of these types. None for an empty one.

    Raises ValidationError if the text is not a cursor of this list.
    """
    if not text:
        return None
    try:
        at, *rest = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment = datetime.fromisoformat(at)
        has_types = [type(each) for each in rest] == list(types) and moment.tzinfo is not None
    except (ValueError, TypeError, binascii.Error, RecursionError, UnicodeDecodeError):
        has_types = False
    if not has_types or not all(abs(each) < 2**63 for each in rest if isinstance(each, int)):
        raise ValidationError({"cursor": "Take the cursor from `next` of the page before."})
    return moment, rest


def next_address(request: Request, cursor: str | None) -> str | None:
    """The address of the next page: this one with another cursor. None after the last page."""
    if cursor is None:
        return None
    query = request.query_params.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
