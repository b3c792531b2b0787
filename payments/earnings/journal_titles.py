"""What teachers read about each kind of journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ledger.entries import JournalKind

_TITLES: Final[Mapping[JournalKind, str]] = {
    JournalKind.SALE: "Sale",
    JournalKind.MATURITY: "Became available",
    JournalKind.REFUND_HELD: "Held for a refund",
    JournalKind.REFUND_RELEASED: "Refund not made",
    JournalKind.REFUND: "Refund",
    JournalKind.REFUND_ALLOCATED: "Refund",
    JournalKind.REFUND_FAILED: "Refund failed",
    JournalKind.DISCOUNT_RECLAIMED: "Platform’s discount adjusted",
    JournalKind.DISPUTE_HELD: "Held for a dispute",
    JournalKind.DISPUTE_LOST: "Dispute lost",
    JournalKind.DISPUTE_REINSTATED: "Dispute won",
    JournalKind.DISPUTE_RELEASED: "Dispute over",
    JournalKind.CREDIT_EARNED: "Lesson taken with a credit",
    JournalKind.ACCESS_EARNED: "Share of subscriptions",
    JournalKind.PAYOUT_REQUESTED: "Payout requested",
    JournalKind.PAYOUT_PAID: "Paid out",
    JournalKind.PAYOUT_FAILED: "Payout failed",
    JournalKind.PAYOUT_DECLINED: "Payout declined",
    JournalKind.PAYOUT_RETURNED: "Payout returned",
}


def title_of(kind: str) -> str:
    """The title of a kind of journal; for one that no title was written for, its name."""
    return _TITLES[JournalKind(kind)] if kind in _TITLES else kind.replace("_", " ").capitalize()
