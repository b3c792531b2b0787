"""The contract between payments and the domains that sell through it. Free of Django.

A domain's AppConfig (`payments.domains.DomainConfig`) names its `DomainHandler`. Handlers use only the database, inside
the caller's transaction: no HTTP and no mail server; they queue mails as rows.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Protocol, runtime_checkable

from money import Money
from payments.gifts.contracts import GiftWish, SoldGift


class NotForSale(Exception):
    """The item does not exist, is withdrawn, or may not be bought by this person. The message is shown to them.

    `change_url` is the page of this site where they can correct it, if there is one: for example three participants
    named for two places.
    """

    def __init__(self, message: str, *, change_url: str = "") -> None:
        super().__init__(message)
        self.change_url = change_url


class SoldOut(Exception):
    """There are not enough places left, or the slot is taken. The message is shown to the student."""


class CannotDeliver(Exception):
    """Paid, but impossible to deliver: the line is refunded automatically. The message is for student and staff."""


class CannotReceive(Exception):
    """This person cannot be given what a gift promises, for example a course that they have. Shown to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What a visitor wants to buy. Only the domain interprets `reference` and `details`.

    `details` is a plain JSON object, for example the named participants of a workshop. A domain accepts only one
    spelling of a reference, so that one item is never two lines of a cart.
    """

    domain: str
    reference: str
    quantity: int = 1
    details: Mapping[str, Any] = field(default_factory=dict)
    # For an item that another person will redeem: one unit, which the buyer themself may have already.
    gift: GiftWish | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it apart from the other lines of a cart."""
        return self.domain, self.reference, self.gift.key if self.gift else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnail:
    """A small picture of an item: the uploaded one at `url`, otherwise the catalogue's drawing of its subject."""

    url: str = ""
    motif: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A time at which a person teaches or attends an item. Without `place_zone`, it is written in the reader's zone."""

    domain: str
    reference: str
    title: str
    starts_at: datetime
    ends_at: datetime
    place_zone: tzinfo | None = None

    def overlaps(self, other: Appointment) -> bool:
        """Whether there is a moment in both."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def is_of(self, other: Appointment) -> bool:
        """Whether both belong to the same item."""
        return (self.domain, self.reference) == (other.domain, other.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an item costs now, per unit and currency, and what the student is promised."""

    title: str
    unit_prices: Mapping[str, Money]
    # None for what the platform itself sells: all of the money is its own.
    teacher_id: int | None
    url: str
    # The most units in one order; 1 for an item that a student can have only once.
    quantity_limit: int = 1
    # The commission on this offer in basis points; None for the teacher's rate or the platform's.
    commission_bps: int | None = None
    # Frozen on the order line and passed to `cancellation_terms`.
    policy: Mapping[str, Any] = field(default_factory=dict)
    # One short line under the title in cart and receipt: date and place, or slot.
    description: str = ""
    # What the cart shows beside it: who teaches it, and in one sentence what a student who cancels gets back.
    teacher_name: str = ""
    terms: str = ""
    thumbnail: Thumbnail = Thumbnail()
    # The student's choices as short texts for the cart, such as who the places are for, and the page to change them.
    choices: Sequence[str] = ()
    change_url: str = ""
    # When it takes place, so that the cart can warn of overlaps. Empty for what has no fixed times.
    appointments: Sequence[Appointment] = ()
    # True for an item that guests can look at but only signed-in people may buy. Checkout always requires a sign-in.
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
    # None for what the platform itself sold.
    teacher_id: int | None
    amount: Money
    policy: Mapping[str, Any]
    # What the teacher gets of the amount, for the mail about the sale.
    share: Money | None = None
    gift: SoldGift | None = None

    @property
    def holder_id(self) -> int:
        """Whose it is: the buyer's, or that of the person who redeemed the gift."""
        return (self.gift and self.gift.receiver_id) or self.buyer_id

    @property
    def purchase_mail(self) -> str:
        """The key of the mail that confirms the whole order. Domains add what they have delivered to it."""
        return purchase_mail_key(self.order_number)

    @property
    def sale(self) -> dict[str, str]:
        """Amount and share as text, for the teacher's mail: empty if it was free."""
        share = str(self.share) if self.share is not None else ""
        return {"amount": str(self.amount), "share": share} if self.amount.minor else {"amount": "", "share": ""}


def purchase_mail_key(order_number: str) -> str:
    """The key of the mail that confirms an order, which is queued once."""
    return f"order:{order_number}:paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One delivered unit of a line. `key` identifies it within its line; `label` says who it is for, if that is known."""

    key: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundStep:
    """The refund of a whole line that is cancelled at `until` or earlier; None if it never ends."""

    amount: Money
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationTerms:
    """What the policy frozen at purchase promises a student who cancels, and what of the line can be cancelled now."""

    # The earliest first. After the last one nothing is refunded.
    steps: Sequence[RefundStep]
    # The units that are delivered now; empty if there is nothing left to cancel.
    places: Sequence[Place] = ()
    # From this moment on it cannot be cancelled, since it has begun or its period for refunds is over.
    closes_at: datetime | None = None
    # The zone of the place where it happens; None if its times are shown in the reader's zone.
    zone: tzinfo | None = None

    def step_at(self, at: datetime) -> RefundStep | None:
        """The step that applies to a cancellation at this moment; None if nothing is refunded."""
        return next((step for step in self.steps if step.until is None or at <= step.until), None)


@runtime_checkable
class DomainHandler(Protocol):
    """One domain's side of the contract. `domain` is its stable name, stored on every line it sells.

    Handlers inherit from it, so that one that lacks a method cannot be instantiated. `payments.tests.handler_contract`
    tests the rules below against every handler.
    """

    domain: str
    # What pages call one item: "Private lesson", "Workshop", "Course".
    label: str
    # What pages call the revocation of one unit and of several: as a choice of staff, and once it has happened. In the
    # last, {count} is how many.
    revoke_one: str = "Take back what was delivered"
    revoke_many: str = "Take back what was delivered"
    revoked_one: str = "1 taken back"
    revoked_many: str = "{count} taken back"
    # What the link to a delivered line says: "Open lesson", "View tickets".
    delivery_action: str = "Open"
    # False for what is bought on a page of its own: no cart holds it, so no discount code is for it.
    is_sold_in_carts: bool = True
    # Whether one person can buy an item and another redeem it: then the handler has `keep_gift` and `hand_over`.
    can_be_given: bool = False
    # When a teacher has earned their share, after "a share is earned by": see `earned_at`.
    earned_by: str = ""

    @abstractmethod
    def quote(self, items: Sequence[Item], buyer_id: int | None) -> Sequence[Quote | NotForSale]:
        """Price the items, in their order. `NotForSale` is returned, not raised, so that one bad item spoils no cart.

        Only reads, with a constant number of queries for any number of items. `buyer_id` is None for guests. Places
        that the buyer already holds count as free, since they may return from Stripe's page and press pay again.
        """

    @abstractmethod
    def reserve(self, line: SoldLine, until: datetime) -> None:
        """Hold the places of this line, within the checkout transaction. Raises SoldOut.

        Called again for the same line, it moves the end of the hold, for example while a bank debit is processing.
        """

    @abstractmethod
    def fulfil(self, line: SoldLine) -> None:
        """Deliver a paid line, within the settlement transaction. A second call has no effect.

        If the hold has expired, the place is taken again if it is still free. Raises CannotDeliver.
        """

    def keep_gift(self, line: SoldLine) -> None:  # noqa: ARG002  # for those that can be given
        """Keep what a paid gift promises until it is redeemed, within the settlement transaction, instead of `fulfil`.

        A second call has no effect. Raises CannotDeliver.
        """
        raise CannotDeliver("This cannot be given as a gift.")

    def hand_over(self, line: SoldLine) -> None:  # noqa: ARG002  # for those that can be given
        """Deliver a gift to `line.holder_id`, within the transaction that redeems it. Raises CannotReceive.

        Called once, for a paid line that is not revoked; mails to the receiver are queued here. From then on `revoke` and
        `cancellation_terms` are about what they have.
        """
        raise CannotReceive("This cannot be given as a gift.")

    @abstractmethod
    def release(self, line: SoldLine) -> None:
        """Release the hold of a line that will not be paid. A second call, or one after `fulfil`, has no effect."""

    @abstractmethod
    def revoke(self, line: SoldLine, quantity: int, reason: str, places: Sequence[str] = ()) -> None:
        """Revoke what was delivered, after a cancellation, refund or lost dispute, until `quantity` units are revoked.

        `quantity` is the total (1 to line.quantity), so a repeat or an earlier, smaller number has no effect. The places
        with the keys `places` are revoked first, then the last ones. A line revoked in full is never delivered again by
        a late payment event. `reason` is shown to the people concerned. Call it through `revocation.revoke_units`.
        """

    @abstractmethod
    def cancellation_terms(self, line: SoldLine) -> CancellationTerms:
        """What the student gets back for the whole line, by when they cancel, and the places they can cancel now.

        Everything, without an end, for a line that was never delivered because its item no longer exists.
        """

    def refund_offer(self, line: SoldLine, at: datetime) -> Money:
        """The amount that the policy frozen at purchase refunds if the student cancels the whole line at this moment."""
        step = self.cancellation_terms(line).step_at(at)
        return step.amount if step else Money.zero(line.amount.currency)

    @abstractmethod
    def earned_at(self, line: SoldLine) -> datetime | None:
        """When the teacher has earned their share of this line, for example some time after the lesson.

        It may change, for example with a lesson that is moved. None if the item no longer has such a moment: then only
        the holding time of all earnings counts.
        """

    def busy(self, person_id: int, since: datetime, until: datetime) -> Sequence[Appointment]:  # noqa: ARG002  # for those with times
        """What this person teaches or attends in a period, as far as it is certain: published, paid, or being paid."""
        return ()

    @abstractmethod
    def delivery_url(self, line: SoldLine) -> str:
        """Where the student finds what this line delivered, as a path on this site."""
