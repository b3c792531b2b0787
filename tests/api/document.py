"""The OpenAPI document for tests: its operations, and the routes of the site that it describes."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    id: str
    method: str
    path: str
    raw: Any

    @property
    def takes_key(self):
        return any(one["name"] == "Idempotency-Key" for one in self.raw.get("parameters", ()))

    @property
    def links(self):
        """What follows an answer: the operation's id, and the link."""
        return [(link["operationId"], link) for link in self.raw["responses"].get("200", {}).get("links", {}).values()]

    @property
    def path_parameters(self):
        return [one["name"] for one in self.raw.get("parameters", ()) if one["in"] == "path"]

    def __hash__(self):
        return hash(self.id)


@cache
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


@cache
def operations():
    """Every operation of the document, by its id."""
    return {
        item[method]["operationId"]: Operation(item[method]["operationId"], method, path, item[method])
        for path, item in document()["paths"].items()
        for method in METHODS
        if method in item
    }
