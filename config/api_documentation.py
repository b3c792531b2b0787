"""The page that documents the API, drawn from the OpenAPI document. Served by the site itself, without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView

from api.schema import GENERAL, describe_problem
from integrations.endpoints import Endpoint
from webhooks.event_types import registered_event_types

_GENERAL = {describe_problem(problem) for problem in GENERAL}
_METHODS = ("get", "post", "patch", "put", "delete")


class DocumentView(Endpoint, SpectacularAPIView):
    """The OpenAPI document. It is drawn for each request, so its limit counts as much as that of any other address."""


@require_safe
def show_documentation(request: HttpRequest) -> HttpResponse:
    """Every operation with its parameters, body and answers."""
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in document["paths"].items():
        for method in (method for method in _METHODS if method in item):
            operation = item[method]
            groups.setdefault(_group_of(path), []).append(_described(path, method, operation, document))
    context = {
        "groups": sorted(groups.items()),
        "version": document["info"]["version"],
        "event_types": registered_event_types(),
        "general": [(problem.status, problem.name, problem.title) for problem in GENERAL],
    }
    return render(request, "integrations/documentation.html", context)


def _group_of(path: str) -> str:
    """The first part of the address that says what it is about."""
    parts = [part for part in path.split("/") if part and part not in ("api", "v1")]
    return parts[0].replace("-", " ").capitalize()


def _described(path: str, method: str, operation: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "text": operation.get("description", ""),
        "parameters": [
            {**parameter, "place": parameter["in"], "type": _type_of(parameter.get("schema", {}))}
            for parameter in operation.get("parameters", [])
        ],
        "body": list(_fields_of(body, document)),
        "answers": [
            {"status": status, "fields": list(_fields_of(_schema_of(answer), document))}
            for status, answer in operation["responses"].items()
            if status < "3"
        ],
        "errors": [
            {"status": status, "name": name, "title": title}
            for status, answer in operation["responses"].items()
            if status >= "4"
            for name, title in _own_problems(answer["description"])
        ],
        "next": [link["operationId"] for link in operation["responses"].get("200", {}).get("links", {}).values()],
        "is_public": {} in operation.get("security", [{}]),
    }


def _own_problems(description: str) -> list[tuple[str, str]]:
    """Names and titles of the problems in a description, without those that any address can answer."""
    named = [line for line in description.split("\n\n") if line not in _GENERAL]
    return [(name.strip("`"), title) for name, _, title in (line.partition(": ") for line in named)]


def _schema_of(answer: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _fields_of(schema: dict[str, Any], document: dict[str, Any], prefix: str = "") -> Iterator[dict[str, Any]]:
    """The fields of a schema, those of inner objects with a dotted name."""
    schema = _resolved(schema, document)
    if schema.get("type") == "array":
        schema = _resolved(schema["items"], document)
        prefix = f"{prefix}[]"
    required = schema.get("required", [])
    for name, inner in schema.get("properties", {}).items():
        full_name = f"{prefix}.{name}".lstrip(".")
        yield {
            "name": full_name,
            "type": _type_of(_resolved(inner, document)),
            "text": inner.get("description", ""),
            "is_required": name in required,
        }
        yield from _fields_of(inner, document, full_name)


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The schema itself in place of a reference to it."""
    for part in [schema, *schema.get("allOf", []), *schema.get("oneOf", [])]:
        if "$ref" in part:
            found: dict[str, Any] = document["components"]["schemas"][part["$ref"].rpartition("/")[2]]
            return found
    return schema


def _type_of(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kind = schema.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
