"""Planned sessions, and which stored session each one is: a moved session stays the same entry in calendars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.core.exceptions import ValidationError

from workshops.models import WorkshopSession


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPlan:
    """Start and end of a session to be saved; `session_id` is the stored session that is meant, if that is known."""

    starts_at: datetime
    ends_at: datetime
    session_id: int | None = None


def refuse_overlaps(plans: Sequence[SessionPlan]) -> None:
    """Raise ValidationError if two sessions of one workshop overlap."""
    for earlier, later in pairwise(sorted(plans, key=lambda plan: plan.starts_at)):
        if later.starts_at < earlier.ends_at:
            raise ValidationError("Two sessions overlap.")


_Pairs = list[tuple[WorkshopSession | None, SessionPlan]]


def pair_with_plans(stored: Sequence[WorkshopSession], plans: Sequence[SessionPlan]) -> _Pairs:
    """Pair each plan with its stored session, or with None if it is a new one. Of plans with one start the last counts.

    By id, otherwise by the same start. What then remains on both sides is paired in order of time: that is right for a
    page that names no ids, and a removed session that becomes a new one is moved in calendars, which shows the same.
    """
    waiting = sorted({plan.starts_at: plan for plan in plans}.values(), key=lambda plan: plan.starts_at)
    free = sorted(stored, key=lambda session: session.starts_at)
    pairs: _Pairs = []

    def pair(session: WorkshopSession | None, plan: SessionPlan) -> None:
        pairs.append((session, plan))
        waiting.remove(plan)
        if session is not None:
            free.remove(session)

    for plan in tuple(waiting):
        if named := next((one for one in free if one.pk == plan.session_id), None):
            pair(named, plan)
    for plan in tuple(waiting):
        if unmoved := next((one for one in free if one.starts_at == plan.starts_at), None):
            pair(unmoved, plan)
    for plan in tuple(waiting):
        pair(free[0] if free else None, plan)
    return pairs
