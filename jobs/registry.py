"""The performer of each kind of durable work. Models hold the rows; the apps' `performers.py` register what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.apps import apps

from jobs.models import DurableWork

Work = TypeVar("Work", bound=DurableWork)


class AlreadyRegistered(Exception):
    """Two functions claim to perform one kind of work."""


class NoPerformer(LookupError):
    """Nothing is registered for this kind of work: its app has no `performers.py`, or it was not loaded."""


@dataclass(frozen=True, slots=True)
class Performer:
    """What to do with one claimed row, and what to do once it is given up.

    `perform` may run again after any crash, so every effect must be harmless to repeat. Returning means done;
    WorkParked gives up at once; any other exception is retried later. `when_parked` is called in the transaction that
    parks the row and touches the database only.
    """

    perform: Callable[[Any], None]
    when_parked: Callable[[Any], None]


_performers: dict[type[DurableWork], Performer] = {}


def performs(
    model: type[Work], *, when_parked: Callable[[Work], None]
) -> Callable[[Callable[[Work], None]], Callable[[Work], None]]:
    """Register the decorated function as the performer of `model`. Raises AlreadyRegistered.

    `when_parked` has no default: a person must hear of work that is given up.
    """

    def register(perform: Callable[[Work], None]) -> Callable[[Work], None]:
        if model in _performers:
            raise AlreadyRegistered(model._meta.label)
        _performers[model] = Performer(perform=perform, when_parked=when_parked)
        return perform

    return register


def performer_of(model: type[DurableWork]) -> Performer:
    """The performer of `model`. Raises NoPerformer."""
    try:
        return _performers[model]
    except KeyError:
        raise NoPerformer(model._meta.label) from None


def work_models() -> list[type[DurableWork]]:
    """Every concrete kind of durable work that is installed."""
    return [model for model in apps.get_models() if issubclass(model, DurableWork)]


def work_model(label: str) -> type[DurableWork]:
    """The kind of work called `label`, such as notifications.Mail. Raises LookupError."""
    for model in work_models():
        if model._meta.label == label:
            return model
    raise LookupError(f"{label} is no installed kind of durable work.")
