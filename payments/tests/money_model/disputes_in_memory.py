"""The pure rules of disputes applied in memory, as `payments.disputes` applies them to the database."""

from dataclasses import dataclass, field, replace

from money import Money
from money.taking import NOTHING
from payments.disputes.claims import Standing, sums_of
from payments.disputes.entries import Part, entries_of_hold, entries_of_loss, entries_of_movement
from payments.disputes.plan import LineStanding, give_back, take_more

PROGRESS = {"warning_needs_response": 0, "needs_response": 3, "under_review": 4, "won": 5, "lost": 5}


@dataclass(frozen=True, slots=True)
class MemoryDispute:
    order: object
    disputed: int
    status: str
    is_charge_refundable: bool
    movements: tuple = ()  # of an id, what it takes (below zero: gives back), and its fee
    claimed: int = 0
    own: dict = field(default_factory=dict)  # line -> amount and fee that it takes
    steps: int = 0

    def __hash__(self):
        own = frozenset(self.own.items())
        return hash((self.order, self.disputed, self.status, self.movements, self.claimed, own, self.steps))

    @property
    def standing(self):
        withdrawn, reinstated = sums_of([claim for _, claim, _ in self.movements])
        return Standing(
            status=self.status,
            is_charge_refundable=self.is_charge_refundable,
            disputed=self.disputed,
            withdrawn=withdrawn,
            reinstated=reinstated,
        )


def record_dispute(books, key, reported):
    """As `payments.disputes.recording.record_dispute`."""
    known = books.disputes.get(key)
    if known is not None and _is_older(reported, known):
        return
    before = known or replace(reported, movements=())
    recorded = replace(reported, claimed=before.claimed, own=before.own, steps=before.steps)
    books.disputes[key] = recorded
    for movement, claim, fee in recorded.movements:
        written = entries_of_movement(amount=books.money(-claim), fee=books.money(fee), claim=books.money(claim))
        books.record(f"dispute:{key}:{movement}", written)
    _change_claim(books, key, before=known)
    claim_anew(books, recorded.order)


def claim_anew(books, order, *, reserved=0):
    """As `payments.disputes.claiming.claim_anew`."""
    for key, dispute in books.disputes.items():
        if dispute.order == order:
            _change_claim(books, key, before=dispute, reserved=reserved)


def _is_older(reported, known):
    ids, known_ids = ({movement[0] for movement in each.movements} for each in (reported, known))
    if not known_ids <= ids:
        return True
    return PROGRESS[reported.status] < PROGRESS[known.status] and known_ids == ids


def _change_claim(books, key, *, before, reserved=0):
    dispute = books.disputes[key]
    room = books.refundable_of_payment(dispute.order).minor + dispute.claimed - reserved
    claimed = max(0, min(dispute.standing.claim, room))
    own = dict(dispute.own)
    if claimed != dispute.claimed:
        lines = books.lines_of(dispute.order)
        standings = [_standing(line, own.get(line.pk, NOTHING)) for line in lines]
        change = claimed - dispute.claimed
        if change > 0:
            after = take_more(standings, change, currency=books.currency)
        else:
            after = give_back(standings, -change, currency=books.currency)
        for line, old, new in zip(lines, standings, after, strict=True):
            own[line.pk] = new.own
            books.lines[line.pk] = replace(
                books.lines[line.pk],
                disputed_minor=line.disputed_minor + new.own.amount - old.own.amount,
                disputed_fee_minor=line.disputed_fee_minor + new.own.fee - old.own.fee,
                disputed_share_minor=line.disputed_share_minor + new.own.share - old.own.share,
            )
    books.disputes[key] = replace(dispute, claimed=claimed, own=own)
    _book_change(books, key, before)


def _standing(line, own):
    return LineStanding(whole=line.parts, taken=line.refunded_parts + line.disputed_parts, own=own)


def _book_change(books, key, before):
    """As `payments.disputes.books.book_change`."""
    after = books.disputes[key]
    held = _differences(books, before.own if before else {}, after.own)
    lost = _differences(books, _lost_of_lines(before), _lost_of_lines(after))
    beyond = _lost_beyond(after) - _lost_beyond(before)
    if not beyond and all(_is_nothing(part) for part, _ in (*held, *lost)):
        return
    after = books.disputes[key] = replace(after, steps=after.steps + 1)
    books.record(f"dispute:{key}:held:{after.steps}", entries_of_hold(held))
    written = entries_of_loss([part for part, _ in lost], owed=books.money(0), excess=books.money(beyond))
    books.record(f"dispute:{key}:lost:{after.steps}", written)


def _is_nothing(part):
    return not (part.fee.minor or part.share.minor or part.tax.minor)


def _lost_of_lines(dispute):
    return dispute.own if dispute and dispute.standing.is_final else {}


def _lost_beyond(dispute):
    return dispute.standing.taken - dispute.claimed if dispute and dispute.standing.is_final else 0


def _differences(books, before, after):
    parts = []
    for pk in sorted({*before, *after}):
        line = books.lines[pk]
        change = after.get(pk, NOTHING) - before.get(pk, NOTHING)
        part = Part(
            teacher_id=line.teacher_id,
            fee=Money(change.fee, line.currency),
            share=Money(change.share, line.currency),
            tax=Money(change.tax, line.currency),
            is_delivered=line.is_delivered,
        )
        parts.append((part, line.account_of_share))
    return parts
