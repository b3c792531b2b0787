"""What a promise of an app looks like, so that tests, alerts and drills can all ask the same ones."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Protocol

from django.apps import apps
from django.utils.module_loading import module_has_submodule


class Invariant(Protocol):
    """One promise about what is stored. An app lists its own as `INVARIANTS` in its `invariants.py`."""

    # Stable, for alerts and reports.
    name: str
    # The promise in one sentence.
    promise: str

    def breaking(self) -> list[int]:
        """The ids of the rows that break it; empty while it holds. Reads only."""


def broken(invariants: Iterable[Invariant]) -> dict[str, list[int]]:
    """The names of the promises that do not hold, each with the ids that break it."""
    return {invariant.name: ids for invariant in invariants if (ids := invariant.breaking())}


def installed_invariants() -> list[Invariant]:
    """The promises of all installed apps, from their `invariants.py`."""
    found: list[Invariant] = []
    for config in apps.get_app_configs():
        if module_has_submodule(config.module, "invariants"):
            found += getattr(import_module(f"{config.name}.invariants"), "INVARIANTS", ())
    return found
