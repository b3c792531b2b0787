"""The fields of an object as readable lines: ids are links, amounts and times are formatted."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from sandbox.dashboard.cells import NOTHING, Cell, at, moment_of, money_of, object_of, state_of, text_of
from sandbox.protocol.resource import resource_of
from sandbox.store import Body

NOT_SHOWN = frozenset(("id", "object", "livemode", "metadata", "client_secret", "secret"))
MOMENTS = re.compile(r"(^created$|_at$|_on$|_date$|^frozen_time$|^deletes_after$|^trial_(start|end)$|^period_(start|end)$"
                     r"|^start_date$|^redeem_by$|^current_period_|^billing_cycle_anchor$|^updated$)")  # fmt: skip
AMOUNTS = re.compile(r"(^|_)(amount|fee|net|total|subtotal|balance)(_|$)")
STATES = ("status", "payment_status", "active", "valid", "paid", "charges_enabled", "payouts_enabled")
LONGEST = 300


def facts_of(body: Body) -> list[tuple[str, Cell]]:
    """The simple fields of an object; the others are shown only in its JSON."""
    resource = resource_of(body["object"])
    references = dict(resource.references) if resource else {}
    facts = list(_facts(body, references))
    return [*_facts_of_event(body), *facts] if body["object"] == "event" else facts


def _facts_of_event(event: Body) -> Iterator[tuple[str, Cell]]:
    yield "About", object_of(at(event, "data.object.id"))
    cause = at(event, "request.id")
    yield "Caused by", Cell(cause, reverse("request", args=[cause]), "mono") if cause else Cell("no API request")


def _facts(body: Body, references: dict[str, str]) -> Iterator[tuple[str, Cell]]:
    for name, value in body.items():
        if name.startswith("_") or name in NOT_SHOWN or value is None or value in ("", [], {}):
            continue
        if isinstance(value, dict | list):
            if name in references and isinstance(value, list) and all(isinstance(one, str) for one in value):
                yield from ((_words(name), object_of(one)) for one in value)
            continue
        yield _words(name), _cell(name, value, body, references)


def _cell(name: str, value: Any, body: Body, references: dict[str, str]) -> Cell:
    if name in references:
        return object_of(value)
    if name in STATES:
        return state_of(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if MOMENTS.search(name):
            return moment_of(value)
        if AMOUNTS.search(name):
            return money_of(value, body.get("currency"))
    if isinstance(value, str) and value.startswith(("http://", "https://")):
        return Cell(value[:LONGEST], value, "mono")
    return text_of(value if not isinstance(value, str) else value[:LONGEST])


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def heading_of(body: Body) -> str:
    """A heading for an object: its amount, name, email address, code, number or URL, or else its id."""
    amount = next((body[name] for name in ("amount", "amount_total", "total") if isinstance(body.get(name), int)), None)
    if amount is not None and body.get("currency"):
        return money_of(amount, body["currency"]).text
    if body["object"] == "event":
        return str(body["type"])
    for name in ("name", "email", "code", "number", "url"):
        if isinstance(body.get(name), str) and body[name]:
            return str(body[name])[:LONGEST]
    return str(body.get("id") or NOTHING)
