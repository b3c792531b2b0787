"""What domains and carts know of gifts: a part of `payments.contracts`, and free of Django like it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftWish:
    """Who a buyer gives an item to. `email` may be empty: then they pass the gift on themselves."""

    receiver: str
    email: str = ""
    message: str = ""
    # The day on which the receiver is mailed; None for at once.
    send_on: date | None = None

    @property
    def key(self) -> str:
        """Short text that tells gifts of one item to different people apart in a cart."""
        whom = f"{self.receiver.casefold()}\n{self.email}"
        return hashlib.sha256(whom.encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, str]:
        """Plain JSON, as a cart line stores it."""
        day = self.send_on.isoformat() if self.send_on else ""
        return {"receiver": self.receiver, "email": self.email, "message": self.message, "send_on": day}


def wish_from(stored: Mapping[str, Any]) -> GiftWish | None:
    """The wish that `GiftWish.as_json` wrote; None for an empty object."""
    if not stored:
        return None
    day = stored.get("send_on")
    return GiftWish(
        receiver=stored["receiver"],
        email=stored["email"],
        message=stored["message"],
        send_on=date.fromisoformat(day) if day else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldGift:
    """What a domain must know about a line that was bought as a gift."""

    receiver_name: str
    # Who redeemed it; None as long as it waits.
    receiver_id: int | None = None
    # When it was paid; None before that.
    given_at: datetime | None = None
    # Whether it was cancelled or refunded.
    is_over: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether it is paid and no one has redeemed it yet."""
        return self.given_at is not None and self.receiver_id is None and not self.is_over
