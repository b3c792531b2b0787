"""How much a student who cancels gets back. Frozen at purchase, so that later edits cannot make it worse.

Everything until 7 days before the first session, half until 48 hours before, nothing after that. If the teacher moves
the workshop to another time, the student can get a full refund until it starts: it is not what they bought.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from accounts.moments import write_moment
from accounts.time_zones import zone_for
from money import Money
from money.limits import half_of
from payments.contracts import RefundStep
from workshops.models import Workshop
from workshops.schedule import first_start

FULL_UNTIL = timedelta(days=7)
HALF_UNTIL = timedelta(hours=48)


def policy_to_freeze(workshop: Workshop, reader: tzinfo) -> dict[str, Any]:
    """The policy of a purchase made now, as plain JSON with times in ISO 8601 and a text for the buyer."""
    starts_at = first_start(list(workshop.sessions.all()))
    if starts_at is None:
        return {}
    zone = zone_for(workshop, reader=reader)
    full_until, half_until = starts_at - FULL_UNTIL, starts_at - HALF_UNTIL
    return {
        "starts_at": starts_at.isoformat(),
        "full_until": full_until.isoformat(),
        "half_until": half_until.isoformat(),
        "text": f"Full refund until {write_moment(full_until, zone)}, half until "
        f"{write_moment(half_until, zone)}, none after that.",
    }


def refund_steps(*, amount: Money, policy: Mapping[str, Any], starts_at: datetime | None) -> list[RefundStep]:
    """The steps of the refund of `amount`. `starts_at` is the workshop's current start."""
    if not policy:
        return []
    was_moved = starts_at is not None and starts_at != datetime.fromisoformat(policy["starts_at"])
    if was_moved:
        return [RefundStep(amount=amount, until=starts_at)]
    return [
        RefundStep(amount=amount, until=datetime.fromisoformat(policy["full_until"])),
        RefundStep(amount=half_of(amount), until=datetime.fromisoformat(policy["half_until"])),
    ]
