"""Series of mails, in which each mail makes the one before it out of date: one person gets the latest, and few a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Value
from django.db.models.functions import Greatest, Now

from notifications.models import Mail

# Time to correct a mistake before anyone reads of it.
QUIET = timedelta(minutes=2)
# So many mails of a series reach a person without further delay in a day; later ones are this far apart.
UNDELAYED_PER_DAY = 3
APART = timedelta(hours=1)

# A series and an address.
_Reader = tuple[str, str]


def take_place_of_waiting(mails: Sequence[Mail]) -> None:
    """Delete the mails whose place these take, and say when these are due. Mails that belong to no series stay as they are.

    Call it in the transaction that stores them. The caller holds a lock on what a series is about, so no two of its mails
    are queued at once. A mail that a worker has begun to send is left alone: it may have arrived.
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
            # Not later than before: a person who saves again and again would put it off for ever.
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
