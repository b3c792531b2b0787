"""Check all invariants of all apps in the background: one alert for each that is broken, cleared once it holds again."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from django.db import DatabaseError, transaction

from jobs.invariants import Invariant, installed_invariants
from notifications.alerts import clear_alert, raise_alert

log = structlog.get_logger(__name__)

_IDS_AT_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedInvariant:
    """An invariant, and the rows that break it; with an error if it could not be checked."""

    invariant: Invariant
    ids: list[int]
    error: str = ""

    @property
    def holds(self) -> bool:
        return not self.ids and not self.error

    @property
    def some_ids(self) -> str:
        """The first ids that break it, as text."""
        more = len(self.ids) - _IDS_AT_MOST
        return ", ".join(map(str, self.ids[:_IDS_AT_MOST])) + (f" and {more} more" if more > 0 else "")


def check_invariants() -> list[CheckedInvariant]:
    """Check every installed invariant. One that fails does not stop the others. Writes nothing; outside transactions."""
    return [_check(invariant) for invariant in installed_invariants()]


def _check(invariant: Invariant) -> CheckedInvariant:
    try:
        with transaction.atomic():
            return CheckedInvariant(invariant=invariant, ids=invariant.breaking())
    except DatabaseError as error:
        log.exception("invariant_not_checked", invariant=invariant.name)
        return CheckedInvariant(invariant=invariant, ids=[], error=repr(error))


def alert_broken_invariants() -> int:
    """Raise or clear the alert of each invariant; returns how many are broken or could not be checked."""
    checked = check_invariants()
    for each in checked:
        key = f"invariant:{each.invariant.name}"
        if each.holds:
            clear_alert(key=key)
            continue
        raise_alert(
            key=key,
            title=f"Broken: {each.invariant.promise}",
            detail={"invariant": each.invariant.name, "ids": each.some_ids, "error": each.error},
        )
    return sum(not each.holds for each in checked)
