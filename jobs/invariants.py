"""The form in which an app states its invariants, so that tests, alerts and drills all check the same ones."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Protocol

from django.apps import apps
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
    return {invariant.name: ids for invariant in invariants if (ids := invariant.breaking())}


def installed_invariants() -> list[Invariant]:
    """The invariants of all installed apps, from their `invariants.py`."""
    found: list[Invariant] = []
    for config in apps.get_app_configs():
        if module_has_submodule(config.module, "invariants"):
            found += getattr(import_module(f"{config.name}.invariants"), "INVARIANTS", ())
    return found
