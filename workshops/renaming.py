"""Change who comes with a ticket. The place, its code and the email address it was sent to stay the same."""

from __future__ import annotations

from django.utils import timezone

from workshops.models import Registration
from workshops.schedule import first_start


class CannotRename(Exception):
    """The name on this ticket can no longer be changed. The message is for its buyer."""


def may_rename(ticket: Registration) -> bool:
    """Whether the ticket is valid and its workshop has not begun."""
    starts_at = first_start(list(ticket.workshop.sessions.all()))
    is_ahead = starts_at is None or starts_at > timezone.now()
    return ticket.state == Registration.State.CONFIRMED and not ticket.workshop.is_cancelled and is_ahead


def rename(*, ticket: Registration, name: str) -> None:
    """Put another name on the ticket. Raises CannotRename."""
    if not may_rename(ticket):
        raise CannotRename("The name on this ticket can no longer be changed.")
    # One statement: a ticket that is cancelled at this moment keeps its name.
    confirmed = Registration.objects.filter(pk=ticket.pk, state=Registration.State.CONFIRMED)
    if not confirmed.update(participant_name=name):
        raise CannotRename("This ticket has just been cancelled.")
