"""The form in which an app states its invariants, so that tests, alerts and drills all check the same ones."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Protocol

from django.apps import apps
from django.db import connection, transaction
from django.utils.module_loading import module_has_submodule


class Invariant(Protocol):
    """One invariant of the stored data. An app lists its own as `INVARIANTS` in its `invariants.py`."""

    # Stable, for alerts and reports.
    name: str
    # The invariant in one sentence.
    promise: str

    def breaking(self) -> list[int]:
        """The ids of the rows that break it; empty while it holds. Only reads."""


def broken(invariants: Iterable[Invariant]) -> dict[str, list[int]]:
    """The names of the invariants that do not hold, each with the ids that break it."""
    return {invariant.name: ids for invariant in invariants if (ids := _breaking(invariant))}


def _breaking(invariant: Invariant) -> list[int]:
    """As `breaking`; all its statements see one moment, so that what moves between them is no false alarm."""
    if connection.in_atomic_block:
        return invariant.breaking()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return invariant.breaking()


def installed_invariants() -> list[Invariant]:
    """The invariants of all installed apps, from their `invariants.py`."""
    found: list[Invariant] = []
    for config in apps.get_app_configs():
        if module_has_submodule(config.module, "invariants"):
            found += getattr(import_module(f"{config.name}.invariants"), "INVARIANTS", ())
    return found
