"""What our side has about a movement at Stripe: a record (payment, refund, payout, dispute) and journals. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from payments.reconciliation.statement import Topic


class Part(StrEnum):
    """What a journal with a posting on Stripe clearing books."""

    SALE = "sale"
    FEE = "fee"
    CONVERSION = "conversion"
    REFUND = "refund"
    REFUND_FAILURE = "refund_failure"
    FAILURE_FEE = "failure_fee"
    DISPUTE = "dispute"
    TRANSFER = "transfer"
    RETURN = "return"
    # `stripe:<transaction>`: booked from the statement itself.
    MOVEMENT = "movement"
    UNKNOWN = "unknown"


class Handle(StrEnum):
    """By what a journal's source names its record."""

    ORDER = "order"
    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    MOVEMENT = "stripe"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceParts:
    """A journal's source, taken apart. `handle` is None if the source is not one of payments."""

    handle: Handle | None
    reference: str
    part: Part


_HANDLES = {handle.value: handle for handle in Handle}
_PART_OF_STEP = {
    (Handle.ORDER, "settled"): Part.SALE,
    (Handle.PAYMENT, "second"): Part.SALE,
    (Handle.PAYMENT, "fee"): Part.FEE,
    (Handle.PAYMENT, "converted"): Part.CONVERSION,
    (Handle.REFUND, "succeeded"): Part.REFUND,
    (Handle.REFUND, "fee"): Part.FEE,
    (Handle.REFUND, "converted"): Part.CONVERSION,
    (Handle.REFUND, "failed"): Part.REFUND_FAILURE,
    (Handle.REFUND, "failed:fee"): Part.FAILURE_FEE,
    (Handle.REFUND, "failed:converted"): Part.REFUND_FAILURE,
    (Handle.REFUND, "released"): Part.REFUND_FAILURE,
    (Handle.DISPUTE, "withdrawn"): Part.DISPUTE,
    (Handle.DISPUTE, "reinstated"): Part.DISPUTE,
    (Handle.PAYOUT, "paid"): Part.TRANSFER,
    (Handle.PAYOUT, "returned"): Part.RETURN,
}


def read_source(source: str) -> SourceParts:
    """Take apart the source of a journal, such as `refund:<key>:succeeded`."""
    name, _, rest = source.partition(":")
    handle = _HANDLES.get(name)
    if handle is None:
        return SourceParts(handle=None, reference=source, part=Part.UNKNOWN)
    if handle == Handle.MOVEMENT:
        return SourceParts(handle=handle, reference=rest, part=Part.MOVEMENT)
    reference, _, step = rest.partition(":")
    # A step may have a number or an id behind it: `dispute:du_1:withdrawn:2`.
    part = _PART_OF_STEP.get((handle, step)) or _PART_OF_STEP.get((handle, step.partition(":")[0]))
    return SourceParts(handle=handle, reference=reference, part=part or Part.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedEntry:
    """The sum of a journal's postings on Stripe clearing in one currency, in minor units; debits are positive."""

    source: str
    currency: str
    amount_minor: int
    effective_at: datetime

    @property
    def part(self) -> Part:
        return read_source(self.source).part


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A row of ours that says money moved, or should move, at Stripe. The amount is positive in minor units.

    `is_done` says that by this row the money has moved: only then must the ledger have it. `has_ended` says that it
    failed or was cancelled, before the money moved or after it.
    """

    topic: Topic
    # Empty while Stripe's id is not known.
    key: str
    label: str
    amount_minor: int
    currency: str
    is_done: bool
    has_ended: bool = False
    happened_at: datetime
    livemode: bool | None = None
    order_number: str = ""
