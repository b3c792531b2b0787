"""Closes periods of the books: after that, no journal takes effect in them."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from ledger.models import Journal, PeriodClose


class CannotClose(ValueError):
    """The period is not over, or closed already. The message is for staff."""


def close_period(*, until: datetime, by: User, note: str = "") -> PeriodClose:
    """Close the books for everything that takes effect before `until`. Raises CannotClose.

    Waits for transactions that are writing journals; others wait for it. A journal that arrives later with an earlier
    moment takes effect at `until` (see `record_journal`).
    """
    refuse_to_close(until)
    try:
        with transaction.atomic():
            return PeriodClose.objects.create(closed_until=until, closed_by=by, note=note)
    except IntegrityError as error:
        raise CannotClose("The books were closed at this moment by another member of staff.") from error


def refuse_to_close(until: datetime) -> None:
    """Raise CannotClose if the books cannot be closed until then."""
    if until > timezone.now():
        raise CannotClose("A period can be closed only when it is over.")
    closed = closed_until()
    if closed is not None and until <= closed:
        raise CannotClose(f"The books are closed until {closed:%-d %B %Y, %H:%M %Z} already.")


def closed_until() -> datetime | None:
    """The moment from which journals may take effect; None if no period was closed yet."""
    latest = PeriodClose.objects.order_by("-closed_until").values_list("closed_until", flat=True)
    return latest.first()


def journals_to_close(until: datetime) -> int:
    """How many journals take effect in the open time before `until`."""
    journals = Journal.objects.filter(effective_at__lt=until)
    closed = closed_until()
    return (journals if closed is None else journals.filter(effective_at__gte=closed)).count()
