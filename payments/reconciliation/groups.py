"""Both sides of one transaction together, and what is found when they differ. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from money import Money, is_currency
from payments.reconciliation.book_items import BookedEntry, Handle, Part, Record, read_source
from payments.reconciliation.kinds import KINDS, DifferenceKind, Repair
from payments.reconciliation.statement import Movement, Topic, topic_of

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is compared: the period [since, until), of one mode; None means without limit.

    What is younger than `settled_before` may still be reported by an event that is under way.
    """

    livemode: bool
    settled_before: datetime
    since: datetime | None = None
    until: datetime | None = None

    def covers(self, moment: datetime) -> bool:
        """Whether a moment is within the period."""
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference: the statement minus the books, in minor units."""

    kind: DifferenceKind
    key: str
    amount_minor: int
    currency: str
    sentence: str
    repair: Repair = Repair.NONE
    movement_id: str = ""
    source: str = ""
    order_number: str = ""

    def __post_init__(self) -> None:
        if self.kind == DifferenceKind.REMAINDER and self.repair:
            raise ValueError("what cannot be named cannot be repaired")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All that both sides have under one match key.

    `order_number` is that of the order behind the payment or refund, empty if it is none of this site; `twin` is Stripe's id of the object that our
    record names instead of this one, though this one bears the same key of ours; `is_foreign` says that another
    account or mode has a transaction with this key.
    """

    key: str
    movements: tuple[Movement, ...] = ()
    records: tuple[Record, ...] = ()
    entries: tuple[BookedEntry, ...] = ()
    order_number: str = ""
    twin: str = ""
    is_foreign: bool = False

    @property
    def topic(self) -> Topic:
        return topic_of(self.key)

    @property
    def record(self) -> Record | None:
        return self.records[0] if self.records else None

    @property
    def latest_at(self) -> datetime:
        """When the youngest item of both sides happened."""
        moments = [movement.created_at for movement in self.movements]
        moments += [entry.effective_at for entry in self.entries]
        moments += [record.happened_at for record in self.records]
        return max(moments, default=_BEFORE_ALL)

    def booked(self, *parts: Part) -> Counter[str]:
        """What the books have of these parts, by currency."""
        return sums((entry.currency, entry.amount_minor) for entry in self.entries if entry.part in parts)

    def sources(self, *parts: Part) -> list[str]:
        """The journals of these parts, without repetition."""
        return list(dict.fromkeys(entry.source for entry in self.entries if entry.part in parts))

    def booked_of_movement(self, movement_id: str) -> Counter[str]:
        """What was booked from the statement for one transaction, by currency."""
        own = ((entry.source, entry) for entry in self.entries if entry.part == Part.MOVEMENT)
        return sums(
            (entry.currency, entry.amount_minor) for source, entry in own if movement_of_source(source) == movement_id
        )

    def deltas(self, terms: Terms | None = None) -> Counter[str]:
        """The statement minus the books by currency; with terms, only of what lies in their period."""
        moved = [each for each in self.movements if terms is None or terms.covers(each.created_at)]
        booked = [each for each in self.entries if terms is None or terms.covers(each.effective_at)]
        total = sums((each.currency, each.net_minor) for each in moved)
        total.subtract(sums((each.currency, each.amount_minor) for each in booked))
        return total


def sums(amounts: Iterable[tuple[str, int]]) -> Counter[str]:
    """Add amounts up by currency."""
    total: Counter[str] = Counter()
    for currency, minor in amounts:
        total[currency] += minor
    return total


def movement_of_source(source: str) -> str:
    """The transaction that a journal was booked from; empty if it was not booked from the statement."""
    parts = read_source(source)
    return parts.reference.partition(":")[0] if parts.handle == Handle.MOVEMENT else ""


def shown(amount_minor: int, currency: str) -> str:
    """An amount for a sentence. Stripe may use currencies that have no ISO code, such as stablecoins."""
    return str(Money(amount_minor, currency)) if is_currency(currency) else f"{amount_minor} {currency} (minor units)"


def find(  # noqa: PLR0913  # the facts of one difference
    group: Group,
    kind: DifferenceKind,
    amounts: Counter[str],
    *,
    detail: str,
    movement: Movement | None = None,
    source: str = "",
    repair: Repair | None = None,
) -> list[Finding]:
    """One finding for each currency in which there is a difference."""
    record = group.record
    first = movement or next(iter(group.movements), None)
    return [
        Finding(
            kind=kind,
            key=group.key,
            amount_minor=minor,
            currency=currency,
            sentence=f"{KINDS[kind].title} ({shown(minor, currency)}): {detail}",
            repair=KINDS[kind].repair if repair is None else repair,
            movement_id=first.id if first else "",
            source=source or next((entry.source for entry in group.entries), ""),
            order_number=record.order_number if record else group.order_number,
        )
        for currency, minor in sorted(amounts.items())
        if minor
    ]


def as_cut_off(finding: Finding, *, why: str) -> Finding:
    """The same difference, explained by the moment at which it was looked at."""
    return replace(
        finding,
        kind=DifferenceKind.CUT_OFF,
        repair=Repair.NONE,
        sentence=f"{KINDS[DifferenceKind.CUT_OFF].title} ({shown(finding.amount_minor, finding.currency)}): {why}",
    )
