"""Series of mails in which each mail replaces the one before: a person gets only the latest, and few a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Value
from django.db.models.functions import Greatest, Now

from notifications.models import Mail

# How long a mail waits, so that a mistake can be corrected before it is mailed.
QUIET = timedelta(minutes=2)
# How many mails of a series a person gets in a day without further delay; later ones are sent APART from each other.
UNDELAYED_PER_DAY = 3
APART = timedelta(hours=1)

# The series and the address.
_Reader = tuple[str, str]


def replace_waiting(mails: Sequence[Mail]) -> None:
    """Delete the waiting mails that these replace, and set when these are due. Mails without a series do not change.

    Call it in the transaction that stores them. The caller holds a lock on the changed object, so no two mails of its
    series are queued at once. A mail that a worker has started to send is kept: it may have arrived.
    """
    in_series = [mail for mail in mails if mail.series]
    if not in_series:
        return
    earlier = _mails_of_a_day(in_series)
    out_of_date: list[int] = []
    for mail in in_series:
        waiting = [other for other in earlier[_reader(mail)] if _is_untouched(other)]
        begun = [other for other in earlier[_reader(mail)] if not _is_untouched(other)]
        out_of_date += [other.pk for other in waiting]
        if waiting:
            # Not later than before: otherwise repeated changes would delay it forever.
            mail.run_after = min(other.run_after for other in waiting)
        elif len(begun) >= UNDELAYED_PER_DAY:
            next_turn = Value(max(other.run_after for other in begun) + APART)
            mail.run_after = Greatest(Now() + QUIET, next_turn)
        else:
            mail.run_after = Now() + QUIET
    Mail.objects.filter(pk__in=out_of_date).delete()


def _mails_of_a_day(mails: Sequence[Mail]) -> dict[_Reader, list[Mail]]:
    found = Mail.objects.select_for_update().filter(
        series__in={mail.series for mail in mails},
        to__in={mail.to for mail in mails},
        created_at__gt=Now() - timedelta(days=1),
    )
    of_reader: dict[_Reader, list[Mail]] = defaultdict(list)
    for mail in found.only("series", "to", "state", "attempts", "run_after").order_by("pk"):
        of_reader[_reader(mail)].append(mail)
    return of_reader


def _reader(mail: Mail) -> _Reader:
    return mail.series, mail.to


def _is_untouched(mail: Mail) -> bool:
    return mail.state == Mail.State.WAITING and mail.attempts == 0
