"""What payments and the domains that sell through it promise each other. No Django in here.

A domain's AppConfig (`payments.domains.DomainConfig`) names its `DomainHandler`. Handlers touch the database only, inside the transaction they are called in: no HTTP, no mail server; they queue mails as rows.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from money import Money


class NotForSale(Exception):
    """The item does not exist, is withdrawn, or may not be bought by this person. The message is shown to them.

    `change_url` is the page of this site where they can put it right, if there is one: three names for two places.
    """

    def __init__(self, message: str, *, change_url: str = "") -> None:
        super().__init__(message)
        self.change_url = change_url


class SoldOut(Exception):
    """There are not enough places left, or the slot is taken. The message is shown to the student."""


class CannotDeliver(Exception):
    """Paid, but impossible to deliver: the line is refunded by itself. The message is shown to student and staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What a visitor wants: `reference` and `details` mean something to the domain only.

    `details` is a plain JSON object, for example the named participants of a workshop. A reference has one spelling: its
    domain sells nothing under another, so that one thing is never two lines of a cart.
    """

    domain: str
    reference: str
    quantity: int = 1
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an item costs now, per unit and currency, and what the student would be promised."""

    title: str
    unit_prices: Mapping[str, Money]
    teacher_id: int
    url: str
    # How many one order may hold; 1 for what one can only have once.
    quantity_limit: int = 1
    # Basis points for this offer; None leaves it to the teacher's rate or the platform's.
    commission_bps: int | None = None
    # Frozen on the order line and handed back to `refund_offer`.
    policy: Mapping[str, Any] = field(default_factory=dict)
    # One short line under the title in cart and receipt: date and place, or slot.
    description: str = ""
    # What the student chose, one short text each, as the cart shows it: who the places are for. And where to change it.
    choices: Sequence[str] = ()
    change_url: str = ""
    # False for what a guest can look at but only a signed-in person may buy; checkout always asks to sign in.
    needs_sign_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldLine:
    """A frozen order line as its domain sees it."""

    id: int
    order_number: str
    reference: str
    quantity: int
    details: Mapping[str, Any]
    title: str
    description: str
    buyer_id: int
    teacher_id: int
    amount: Money
    policy: Mapping[str, Any]


@runtime_checkable
class DomainHandler(Protocol):
    """One domain's side of the contract. `domain` is its stable name, stored on every line it sells.

    Handlers inherit from it, so that one that lacks a method cannot be made. `payments.tests.handler_contract` tries
    the promises below against every handler.
    """

    domain: str
    # What a student calls one of these: "Private lesson", "Workshop", "Course".
    label: str

    @abstractmethod
    def quote(self, items: Sequence[Item], buyer_id: int | None) -> Sequence[Quote | NotForSale]:
        """Price the items, in their order. `NotForSale` is returned, not raised, so one bad item spoils no cart.

        A constant number of queries however many items there are. Reads only; `buyer_id` is None for guests.
        Places the buyer holds themselves count as free: they may come back from Stripe's page and press pay again.
        """

    @abstractmethod
    def reserve(self, line: SoldLine, until: datetime) -> None:
        """Hold the place for this line, within the checkout transaction. Raises SoldOut.

        Called again for the same line it moves the end of the hold, for example while a bank debit is on its way.
        """

    @abstractmethod
    def fulfil(self, line: SoldLine) -> None:
        """Deliver a paid line, within the settlement transaction. A second call has no effect.

        A hold that lapsed is taken again if the place is still free. Raises CannotDeliver.
        """

    @abstractmethod
    def release(self, line: SoldLine) -> None:
        """Free the hold of a line that will not be paid. A second call, or one after `fulfil`, has no effect."""

    @abstractmethod
    def revoke(self, line: SoldLine, quantity: int, reason: str) -> None:
        """Take back what was delivered, after a refund or a lost dispute, until `quantity` units are taken back in all.

        Counted in total (1 to line.quantity), so a repeat or an earlier, smaller number has no effect. What was taken
        back in whole is never delivered again by a payment event that comes late.
        """

    @abstractmethod
    def refund_offer(self, line: SoldLine, at: datetime) -> Money:
        """What the policy frozen at purchase gives back if the student cancels at this moment."""

    @abstractmethod
    def earned_at(self, line: SoldLine) -> datetime:
        """When the teacher's share of this line becomes theirs to withdraw."""

    @abstractmethod
    def delivery_url(self, line: SoldLine) -> str:
        """Where the student finds what this line delivered, as a path on this site."""
