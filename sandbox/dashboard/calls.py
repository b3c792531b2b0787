"""API calls made from a page: the same routes, checks and events as for a client."""

from django.db import transaction

from sandbox import store
from sandbox.protocol.errors import ApiError
from sandbox.protocol.form import Raw
from sandbox.protocol.routing import Call, match
from sandbox.store import Body


def has_call(method: str, path: str) -> bool:
    """Whether the sandbox supports such a call."""
    return match(method, path) is not None


def call(method: str, path: str, **asked: Raw) -> Body:
    """Make the call for the acting account. Raises ApiError in Stripe's words; changes made by a refusal are kept."""
    found = match(method, path)
    if found is None:
        raise ApiError(f"The sandbox does not answer {method} {path} yet.")
    route, ids = found
    params = route.accepts.read(asked, "") or {}
    refusal: ApiError | None = None
    with store.writing(), transaction.atomic():
        try:
            return route.handler(Call(params, ids))
        except ApiError as error:
            if not error.keeps_changes:
                raise
            refusal = error
    raise refusal
