"""What a recorded dispute takes: the figures before and after a change, which the journals book the difference of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from money.taking import Parts
from payments.disputes.claims import Standing, sums_of
from payments.models import Dispute


@dataclass(frozen=True, slots=True)
class TakenOfLine:
    """What a dispute takes of one line, in minor units: fee, share, and tax that the platform owes."""

    fee: int = 0
    share: int = 0
    tax: int = 0

    @property
    def amount(self) -> int:
        return self.fee + self.share + self.tax

    def as_json(self) -> list[int]:
        """Without the tax where there is none, as before there was any."""
        return [self.fee, self.share, self.tax] if self.tax else [self.fee, self.share]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a dispute takes, in minor units of the payment's currency. `moved` is what Stripe took and did not return."""

    of_lines: Mapping[int, TakenOfLine] = field(default_factory=dict)
    claimed: int = 0
    moved: int = 0
    is_final: bool = False

    def as_json(self) -> dict[str, Any]:
        """For the history of the dispute."""
        lines = {str(line_id): part.as_json() for line_id, part in self.of_lines.items()}
        return {"lines": lines, "claimed": self.claimed, "moved": self.moved, "is_final": self.is_final}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `as_json` wrote."""
        of_lines = {int(line_id): TakenOfLine(*part) for line_id, part in data["lines"].items()}
        return cls(of_lines=of_lines, claimed=data["claimed"], moved=data["moved"], is_final=data["is_final"])

    @property
    def lost_of_lines(self) -> Mapping[int, TakenOfLine]:
        """What the lines have lost for good."""
        return self.of_lines if self.is_final else {}

    @property
    def lost_of_none(self) -> int:
        """What was lost of a payment that paid for no line."""
        return self.claimed - sum(part.amount for part in self.of_lines.values()) if self.is_final else 0

    @property
    def lost_beyond(self) -> int:
        """What was lost beyond the payment; negative if Stripe gave back more than it took."""
        return self.moved - self.claimed if self.is_final else 0

    @property
    def lost(self) -> int:
        """All that was lost for good."""
        return self.moved if self.is_final else 0


def standing_of(dispute: Dispute) -> Standing:
    """The state of a recorded dispute, for the rules."""
    withdrawn, reinstated = sums_of(list(dispute.movements.values_list("claim_minor", flat=True)))
    return Standing(
        status=dispute.status,
        is_charge_refundable=dispute.is_charge_refundable,
        disputed=disputed_of_payment(dispute),
        withdrawn=withdrawn,
        reinstated=reinstated,
    )


def disputed_of_payment(dispute: Dispute) -> int:
    """What is disputed, in minor units of the payment's currency.

    A dispute in another currency names no rate before money has moved, so it counts as one of the whole payment.
    """
    payment = dispute.payment
    return dispute.amount_minor if dispute.currency == payment.currency else payment.amount_minor


def taken_by(dispute: Dispute) -> Taken:
    """What a recorded dispute takes now. Call with the order locked."""
    standing = standing_of(dispute)
    return Taken(
        of_lines={each.line_id: _taken_of_line(each.parts) for each in dispute.allocations.all()},
        claimed=dispute.claimed_minor,
        moved=standing.taken,
        is_final=standing.is_final,
    )


def _taken_of_line(parts: Parts) -> TakenOfLine:
    return TakenOfLine(fee=parts.fee, share=parts.share, tax=parts.tax)
