"""The parts of the OpenAPI document about tokens and repeated requests."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter

from integrations.models import LONGEST_KEY


class BearerTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers subclasses untyped
    """How programs sign in."""

    target_class = "integrations.authentication.BearerToken"
    name = "token"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token made on the account page."}


def key_parameter(*, required: bool) -> OpenApiParameter:
    """The header that makes a request repeatable."""
    return OpenApiParameter(
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
        OpenApiParameter.HEADER,
        required=required,
        description=(
            "Your own name for this request, such as a UUID. The same request with the same key has its effect once, "
            "and gets the same answer again."
        ),
    )
