"""What happens in a scenario, as an interface: Lectern implements it, and so does the naive control.

Amounts are texts in major units, such as "12.50". Teachers are capital letters. Figures are read with `shows`:
`world.shows(A="67.50", platform="7.50")` compares the figures named, and no others.
"""

from abc import ABC, abstractmethod
from decimal import Decimal, InvalidOperation


class Refused(Exception):
    """The system refused. Nothing may have changed."""


class Shown(ABC):
    """Something with figures that a scenario compares."""

    @abstractmethod
    def figures(self):
        """The figures by name: decimals in major units, whole numbers, or words."""

    def shows(self, **expected):
        compare(self.figures(), expected)


def compare(figures, expected):
    """Fail with every figure that is not as expected."""
    wanted = {name: _as_figure(value) for name, value in expected.items()}
    wrong = [f"{name} is {figures[name]}, not {value}" for name, value in wanted.items() if figures[name] != value]
    assert not wrong, "; ".join(wrong)


def _as_figure(value):
    try:
        return Decimal(value)
    except InvalidOperation:
        return value


class World(Shown):
    """A marketplace with a commission of 10 %, halves rounded up.

    Its figures: for each teacher what the platform owes them (A, B, ...; negative is a debt), `platform` (fees less
    costs), `fees`, `costs`, `paid_out` (to all teachers); `alerts` is the number of lost disputes that staff were told of.
    """

    @abstractmethod
    def open_sale(self, *prices, teachers="A", currency="GBP", quantity=1, off="0", tax="0", on_top=False):
        """An order with a line at each price, waiting for its payment.

        `off` is a discount on the whole order, `tax` the rate of the tax within the prices in percent. A tax on top is
        added to the prices, and the platform owes it.
        """

    def sell(self, *prices, stripe_fee=None, **terms):
        """An order that was paid; with a fee of Stripe's if one is named."""
        sale = self.open_sale(*prices, **terms)
        sale.pays(stripe_fee=stripe_fee)
        return sale

    def shows(self, *, currency="GBP", **expected):
        compare(self.figures(currency), expected)

    @abstractmethod
    def figures(self, currency="GBP"): ...

    @abstractmethod
    def pay_out(self, teacher, amount=None, *, currency="GBP"):
        """Ask for a payout of all that is available, or of an amount; staff approve it. Raises Refused."""

    @abstractmethod
    def has_minimum_payout(self, amount, currency):
        """The minimum payout in a currency."""

    @abstractmethod
    def pay_day(self, teacher):
        """Another week passes, and the teacher's weekly payouts are made and paid; returns them."""

    @abstractmethod
    def old_records_are_archived(self):
        """Years pass, and what is kept only for a time is removed."""


class Sale(Shown):
    """An order. Its figures: `paid`, `refunded` (what reached the buyer), `refundable`, `due`, `charged` (what Stripe
    was asked for, in minor units), `refunds` (how many were made), `mails` (to the buyer about refunds), `tax`, `lost` (to disputes)."""

    @abstractmethod
    def pays(self, *, amount=None, intent=None, stripe_fee=None):
        """Stripe reports the payment: of the total unless another amount is named. A repeat is the same event again."""

    @abstractmethod
    def pays_again(self):
        """The buyer pays the order a second time, on another page."""

    @abstractmethod
    def is_declined(self):
        """Stripe reports that a card was declined, which may be older than what was reported before."""

    @abstractmethod
    def page_expires(self):
        """Stripe reports that the page can no longer be paid."""

    @abstractmethod
    def is_earned(self):
        """The holding time is over: the teachers' shares become available to them."""

    @abstractmethod
    def is_cancelled(self):
        """The buyer gives up, and the places are released."""

    @abstractmethod
    def place_is_gone(self):
        """Another buyer takes the places before they are delivered."""

    @abstractmethod
    def line(self, number):
        """One line, counted from 1. Its figures: `amount`, `fee`, `share`; and what of each is left."""

    @abstractmethod
    def refund(
        self, amount=None, *, line=None, places=None, parts=None, currency=None, form=None, events_before_answer=0
    ):
        """Staff refund all, a line, places of a line, an amount, or parts by line; Stripe accepts. Raises Refused.

        `form` identifies the form that staff sent, so that one sent twice is recognised. Stripe may report success
        before its answer is recorded.
        """

    @abstractmethod
    def refund_at_stripe(self, amount):
        """A refund made in Stripe's Dashboard, which names no line; reported as succeeded."""

    @abstractmethod
    def automatic_refund(self):
        """The refund that the system made by itself."""

    @abstractmethod
    def dispute(self, amount=None, *, is_inquiry=False, settled=None, settled_in=None):
        """The buyer's bank disputes all of it, or an amount; Stripe withdraws that, and 15.00 as its fee.

        `settled` is what that is in the currency of the account, if it is another one; the fee is in that, too.
        """


class Refund(Shown):
    """A refund. Its figures: `amount`, `fee`, `share`, `sent` (what Stripe was asked for, in minor units), `state`."""

    @abstractmethod
    def stays_pending(self):
        """Stripe reports that it is pending."""

    @abstractmethod
    def succeeds(self):
        """Stripe reports that it succeeded; again if called again."""

    @abstractmethod
    def fails(self):
        """Stripe reports that it failed."""

    @abstractmethod
    def part(self, line):
        """What it takes of a line. Its figures: `amount`, `fee`, `share`."""

    @abstractmethod
    def is_allocated_as_proposed(self):
        """Staff accept the allocation to lines that the system proposes."""


class Dispute(Shown):
    """A dispute. Its figures: `state`, `is_refunded_before`."""

    @abstractmethod
    def is_lost(self): ...

    @abstractmethod
    def is_won(self):
        """Stripe gives the amount back, but keeps its fee; an inquiry is closed."""


class Payout(Shown):
    """A payout that was approved and sent. Its figures: `amount`, `currency`, `state`."""

    @abstractmethod
    def is_paid(self):
        """Stripe has made the transfer."""

    @abstractmethod
    def comes_back(self, *, arrived=None):
        """The money returns; what arrives may differ from what left."""
