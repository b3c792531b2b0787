"""What callers ask in the query of an address, and send in a body."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request


def read_query(question: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The validated parameters. Raises ValidationError.

    As a plain dictionary, since REST framework takes an empty parameter of a form for a missing one: `?currency=` would
    then be answered in another currency than the caller meant.
    """
    asked = question(data=request.query_params.dict())
    asked.is_valid(raise_exception=True)
    validated: dict[str, Any] = asked.validated_data
    return validated


def read_body(form: type[serializers.Serializer[Any]], request: Request, *, is_partial: bool = False) -> dict[str, Any]:
    """The validated fields of the body; with `is_partial` only those that were sent. Raises ValidationError."""
    sent = form(data=request.data, partial=is_partial)
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)
