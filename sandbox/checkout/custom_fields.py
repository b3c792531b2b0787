"""Questions a shop adds to its page (docs: "Add custom fields")."""

import re
from collections.abc import Mapping

from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.store import Body

MOST_FIELDS = 3
MOST_OPTIONS = 200
KEY = re.compile(r"[A-Za-z0-9]{1,200}")
LONGEST_LABEL, LONGEST_OPTION, LONGEST_VALUE = 50, 100, 255


def build_fields(given: list[Body]) -> list[Body]:
    """`custom_fields` as a session shows them. Raises what Stripe refuses."""
    if len(given) > MOST_FIELDS:
        raise ApiError(f"You can only pass up to {MOST_FIELDS} custom fields.", param="custom_fields")
    if len({field["key"] for field in given}) < len(given):
        raise ApiError("The keys of custom fields must be unique.", param="custom_fields")
    return [_field(field, f"custom_fields[{index}]") for index, field in enumerate(given)]


def _field(given: Body, path: str) -> Body:
    kind = given["type"]
    if not KEY.fullmatch(given["key"]):
        raise ApiError("The key of a custom field must be alphanumeric, of up to 200 characters.", param=f"{path}[key]")
    if len(given["label"]["custom"]) > LONGEST_LABEL:
        raise ApiError(f"A label has at most {LONGEST_LABEL} characters.", param=f"{path}[label][custom]")
    for other in {"dropdown", "numeric", "text"} - {kind}:
        if other in given:
            raise ApiError(f"`{other}` does not go with the type `{kind}`.", param=f"{path}[{other}]")
    details = _dropdown(given, path) if kind == "dropdown" else _typed(given, kind, path)
    return {
        "key": given["key"],
        "label": dict(given["label"]),
        "optional": given.get("optional", False),
        "type": kind,
        kind: details,
    }


def _dropdown(given: Body, path: str) -> Body:
    if "dropdown" not in given:
        raise missing_parameter(f"{path}[dropdown]")
    options = given["dropdown"]["options"]
    if not 0 < len(options) <= MOST_OPTIONS:
        raise ApiError(f"A dropdown has between 1 and {MOST_OPTIONS} options.", param=f"{path}[dropdown][options]")
    values = [option["value"] for option in options]
    default = given["dropdown"].get("default_value")
    if default is not None and default not in values:
        raise ApiError("The default value must be one of the options.", param=f"{path}[dropdown][default_value]")
    return {"default_value": default, "options": [dict(option) for option in options], "value": None}


def _typed(given: Body, kind: str, path: str) -> Body:
    details: Body = {"default_value": None, "maximum_length": None, "minimum_length": None} | given.get(kind, {})
    least, most = details["minimum_length"], details["maximum_length"]
    if least is not None and most is not None and least > most:
        raise ApiError("The minimum length is above the maximum length.", param=f"{path}[{kind}][minimum_length]")
    return details | {"value": None}


def read_fields(fields: list[Body], typed: Mapping[str, str]) -> tuple[list[Body], dict[str, str]]:
    """The fields with the buyer's answers by key, and the error of each wrong one."""
    errors: dict[str, str] = {}
    answered = []
    for field in fields:
        value = typed.get(field["key"], "").strip()
        wrong = _complaint(field, value)
        if wrong:
            errors[field["key"]] = wrong
        answered.append(field | {field["type"]: field[field["type"]] | {"value": value or None}})
    return answered, errors


def _complaint(field: Body, value: str) -> str | None:
    if not value:
        return None if field["optional"] else "Required"
    details = field[field["type"]]
    if field["type"] == "dropdown":
        return None if value in [option["value"] for option in details["options"]] else "Choose one of the options."
    if field["type"] == "numeric" and not (value.isascii() and value.isdigit()):
        return "Use digits only."
    least, most = details["minimum_length"] or 0, details["maximum_length"] or LONGEST_VALUE
    return None if least <= len(value) <= most else f"Use between {least} and {most} characters."
