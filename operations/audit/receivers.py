"""Tells the database which task makes a change."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

import pghistory
from celery import signals

from operations.models import Change

_entered = threading.local()


@signals.task_prerun.connect
def begin_context(task: Any, **_: Any) -> None:
    """Give the changes of a task its name. One that runs within a request, as in tests, leaves the request's context."""
    entered = ExitStack()
    metadata = entered.enter_context(pghistory.context()).metadata
    _entered.contexts = [*getattr(_entered, "contexts", []), entered]
    metadata.setdefault("source", Change.Source.WORK)
    metadata.setdefault("place", task.name)


@signals.task_postrun.connect
def end_context(**_: Any) -> None:
    """End it, so that the next task of this thread begins with nothing."""
    if getattr(_entered, "contexts", None):
        _entered.contexts.pop().close()
