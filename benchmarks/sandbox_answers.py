"""How long the sandbox takes to list, find, search and make each kind of object."""

from __future__ import annotations

import http.client
import json
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from typing import Any
from urllib.parse import quote, urlencode

from benchmarks.intervals import percentile
from benchmarks.sandbox_kinds import Form, Kind
from sandbox.tests.sandbox_process import KEY

CALLS = 200
HELD_TO_TARGET = ("list", "page", "narrow", "find", "make")
SEARCH = "search"


class UnexpectedAnswer(Exception):
    """The sandbox did not answer with success."""


class Caller:
    """A keep-alive connection that records how long each call took."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        key = b64encode(f"{KEY}:".encode()).decode()
        self._headers = {"Authorization": f"Basic {key}", "Content-Type": "application/x-www-form-urlencoded"}

    def ask(self, method: str, path: str, form: Form | None = None) -> tuple[Any, float]:
        """Return the answer and the seconds it took. Raises UnexpectedAnswer for anything but 200."""
        began_at = time.perf_counter()
        self._connection.request(method, f"/v1/{path}", urlencode(form or {}) or None, self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        seconds = time.perf_counter() - began_at
        if answer.status != http.HTTPStatus.OK:
            raise UnexpectedAnswer(f"{method} {path}: {text.decode()[:500]}")
        return json.loads(text), seconds


def latencies_of(
    kind: Kind, caller: Caller, sample: Sequence[Mapping[str, str]], named: Mapping[str, str]
) -> dict[str, list[float]]:
    """Seconds of each call, by question: the newest page, one in the middle, a narrowed list, one object, a new one."""
    ways = {}
    if kind.is_listed:
        able = _with_fields(sample, kind.path + kind.query)
        ways["list"] = (_page(kind, one) for one in _in_turn(able))
        ways["page"] = (_page(kind, one, f"starting_after={one['id']}") for one in _in_turn(able))
    if kind.is_found:
        ways["find"] = (_found_at(kind, one) for one in _in_turn(_with_fields(sample, kind.path)))
    if kind.narrowed:
        asked = _in_turn(_with_fields(sample, kind.narrowed))
        ways["narrow"] = (_page(kind, one, filled(kind.narrowed, one)) for one in asked)
    if kind.searched:
        asked = _in_turn(_with_fields(sample, kind.searched))
        ways[SEARCH] = (f"{kind.path}/search?query={quote(filled(kind.searched, one))}" for one in asked)
    taken = {way: [caller.ask("GET", path)[1] for path in paths] for way, paths in ways.items()}
    if kind.form is not None:
        form, owners = filled_form(kind.form, named), islice(cycle(sample if kind.is_made_at_each else [named]), CALLS)
        taken["make"] = [caller.ask("POST", filled(kind.path, owner), form)[1] for owner in owners]
    return taken


def filled_form(form: Form, named: Mapping[str, str]) -> dict[str, str]:
    """The form with its placeholders replaced by ids."""
    return {name: filled(value, named) for name, value in form.items()}


def _in_turn(sample: Sequence[Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
    return islice(cycle(sample), CALLS)


def _with_fields(sample: Sequence[Mapping[str, str]], asked: str) -> Sequence[Mapping[str, str]]:
    """The objects that have the fields of the question; there must be at least one."""
    able = [one for one in sample if "{" not in filled(asked, one)]
    if not able:
        raise LookupError(f"nothing to ask {asked} of")
    return able


def _page(kind: Kind, one: Mapping[str, str], *conditions: str) -> str:
    asked = "&".join(filter(None, (filled(kind.query, one), *conditions)))
    return f"{filled(kind.path, one)}?{asked}"


def _found_at(kind: Kind, one: Mapping[str, str]) -> str:
    return filled(kind.at, one) if kind.at else f"{filled(kind.path, one)}/{one['id']}"


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders replaced by values."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def told(latencies: Sequence[float]) -> str:
    """Three percentiles in milliseconds, as text."""
    return "/".join(f"{percentile(latencies, share) * 1000:.1f}" for share in (0.5, 0.9, 0.99))
