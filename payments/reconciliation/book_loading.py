"""Load what our side has under some match keys: records and the journals they lead to. A few queries for any number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ledger.entries import AccountKind
from ledger.models import Posting
from payments.models import StripeMovement
from payments.reconciliation.book_items import BookedEntry
from payments.reconciliation.found_records import FoundRecord
from payments.reconciliation.groups import Group
from payments.reconciliation.record_loading import find_records
from payments.reconciliation.statement import Movement, Topic, topic_of
from payments.reconciliation.statement_reading import as_movement

# A dispute may be withdrawn and reinstated several times; each further journal has a number.
_DISPUTE_STEPS = ("withdrawn", "reinstated")
_DISPUTE_ROUNDS = 9


@dataclass(slots=True)
class _Side:
    """What is gathered for one key before its group is built."""

    movements: list[Movement] = field(default_factory=list)
    records: list[FoundRecord] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)


def load_groups(keys: Iterable[str], *, account: str, livemode: bool) -> list[Group]:
    """Both sides of each key, complete: whatever the period. In the order of the keys."""
    sides = {key: _Side() for key in keys}
    foreign: set[str] = set()
    for row in StripeMovement.objects.filter(match_key__in=list(sides)).order_by("happened_at", "stripe_id"):
        if (row.account, row.livemode) == (account, livemode):
            sides[row.match_key].movements.append(as_movement(row))
        else:
            foreign.add(row.match_key)
    found = find_records({key: side.movements for key, side in sides.items()})
    for key, records in found.of_key.items():
        sides[key].records = records
    for key, side in sides.items():
        side.sources = _sources(key, side)
    entries = load_entries(source for side in sides.values() for source in side.sources)
    return [
        Group(
            key=key,
            movements=tuple(side.movements),
            records=tuple(each.record for each in side.records),
            entries=tuple(entry for source in side.sources for entry in entries.get(source, ())),
            order_number=found.order_number(side.movements),
            twin=found.twins.get(key, ""),
            is_foreign=key in foreign,
        )
        for key, side in sides.items()
    ]


def _sources(key: str, side: _Side) -> list[str]:
    """The sources of all journals that a key may have on Stripe clearing."""
    sources = [source for each in side.records for source in each.sources]
    if topic_of(key) == Topic.DISPUTE:
        steps = [f"{key}:{step}" for step in _DISPUTE_STEPS]
        sources += [*steps, *(f"{step}:{count}" for step in steps for count in range(1, _DISPUTE_ROUNDS))]
    for movement in side.movements:
        sources += [f"stripe:{movement.id}", f"stripe:{movement.id}:fee"]
    return list(dict.fromkeys(sources))


def load_entries(sources: Iterable[str]) -> Mapping[str, Sequence[BookedEntry]]:
    """The postings on Stripe clearing of these journals, by source."""
    entries: dict[str, list[BookedEntry]] = defaultdict(list)
    postings = Posting.objects.filter(account__kind=AccountKind.STRIPE_CLEARING, journal__source__in=list(sources))
    columns = ("journal__source", "account__currency", "amount_minor", "effective_at")
    for source, currency, minor, effective_at in postings.order_by("pk").values_list(*columns):
        entries[source].append(
            BookedEntry(source=source, currency=currency, amount_minor=minor, effective_at=effective_at)
        )
    return entries
