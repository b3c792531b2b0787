"""API calls from the dashboard, with the same routes, checks and events as calls from a client."""

from django.db import transaction

from sandbox import store
from sandbox.protocol.errors import ApiError
from sandbox.protocol.form import Raw
from sandbox.protocol.routing import Call, match
from sandbox.store import Body


def has_call(method: str, path: str) -> bool:
    """Whether the sandbox supports this call."""
    return match(method, path) is not None


def call(method: str, path: str, **params: Raw) -> Body:
    """Make a call for the acting account. Raises ApiError; changes that the error keeps are committed."""
    found = match(method, path)
    if found is None:
        raise ApiError(f"The sandbox does not support {method} {path} yet.")
    route, ids = found
    values = route.accepts.read(params, "") or {}
    refusal: ApiError | None = None
    with store.writing(), transaction.atomic():
        try:
            return route.handler(Call(values, ids))
        except ApiError as error:
            if not error.keeps_changes:
                raise
            refusal = error
    raise refusal
