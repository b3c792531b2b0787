"""What a caller can do next with an answer: the links of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Link:
    """The operation to call next, and the expressions of OpenAPI that find its parameters in this answer."""

    to: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None

    def as_openapi(self) -> dict[str, Any]:
        """The link as the document holds it."""
        described: dict[str, Any] = {"operationId": self.to}
        if self.parameters:
            described["parameters"] = dict(self.parameters)
        if self.body is not None:
            described["requestBody"] = dict(self.body)
        return described


def from_answer(**pointers: str) -> dict[str, str]:
    """Parameters that are found in the body of the answer: `from_answer(number="results/0/number")`."""
    return {name: f"$response.body#/{pointer}" for name, pointer in pointers.items()}
