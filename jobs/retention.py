"""Delete old rows: each app lists its own as `RETENTION` in its `retention.py`, and one daily task deletes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any

import structlog
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.module_loading import module_has_submodule

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Rows that are deleted once they are old enough.

    `setting` names the time they are kept; `expired` gives the rows that are older than that and may go. What still
    needs staff must never be among them, however old.
    """

    name: str
    setting: str
    expired: Callable[[timedelta], QuerySet[Any]]


def registered_retention() -> list[Kept]:
    """The entries of all installed apps."""
    found: list[Kept] = []
    for config in apps.get_app_configs():
        if module_has_submodule(config.module, "retention"):
            found += getattr(import_module(f"{config.name}.retention"), "RETENTION", ())
    return found


def delete_expired(kept: Kept, *, batch: int = 500) -> int:
    """Delete what is old enough, in transactions of `batch` rows; returns how many. Two may run at once."""
    deleted = 0
    while count := _delete_batch(kept, batch):
        deleted += count
    if deleted:
        log.info("expired_rows_deleted", kept=kept.name, count=deleted)
    return deleted


@transaction.atomic
def _delete_batch(kept: Kept, size: int) -> int:
    expired = kept.expired(getattr(settings, kept.setting))
    # Rows that another process is working on are skipped: it may leave them unfinished.
    picked = list(
        expired.select_for_update(skip_locked=True, of=("self",)).order_by("pk").values_list("pk", flat=True)[:size]
    )
    # Only the key is read: the rows may be large, or impossible to load.
    expired.model._default_manager.filter(pk__in=picked).only("pk").delete()
    return len(picked)
