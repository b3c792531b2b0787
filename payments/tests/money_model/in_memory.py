"""The pure rules applied in memory, in the order in which the functions that use the database apply them.

Records are never changed but replaced, so that a copy of the books is cheap.
"""

from dataclasses import dataclass, replace

from ledger.chart import CHART, check_account
from ledger.entries import AccountKind, net_amounts
from money import Money
from money.taking import Parts
from payments.earnings import entries
from payments.earnings.entries import Portion, RefundedPart
from payments.refunds.plan import OverAllLines, plan_refund, remaining_of, total_of
from payments.refunds.states import Booking, RefundStatus, booking_of_new, change_after, read_status
from payments.tests.money_model.disputes_in_memory import claim_anew, record_dispute
from payments.tests.money_model.payouts_in_memory import PayoutRules, Refused

PENDING, AVAILABLE = AccountKind.TEACHER_PENDING, AccountKind.TEACHER_AVAILABLE


@dataclass(frozen=True, slots=True)
class MemoryLine:
    """An order line with its counters, as the planning of refunds reads it."""

    pk: int
    teacher_id: int
    currency: str
    amount_minor: int
    platform_fee_minor: int
    teacher_share_minor: int
    tax_minor: int = 0
    platform_tax_minor: int = 0
    quantity: int = 1
    title: str = "Line"
    refunded_minor: int = 0
    refunded_fee_minor: int = 0
    refunded_share_minor: int = 0
    refunded_tax_minor: int = 0
    refunded_quantity: int = 0
    disputed_minor: int = 0
    disputed_fee_minor: int = 0
    disputed_share_minor: int = 0
    is_delivered: bool = True
    has_matured: bool = False

    @property
    def amount(self):
        return Money(self.amount_minor, self.currency)

    @property
    def refundable(self):
        return Money(self.amount_minor - self.refunded_minor - self.disputed_minor, self.currency)

    @property
    def parts(self):
        return Parts(amount=self.amount_minor, fee=self.platform_fee_minor, tax=self.platform_tax_minor)

    @property
    def refunded_parts(self):
        tax = self.refunded_tax_minor if self.platform_tax_minor else 0
        return Parts(amount=self.refunded_minor, fee=self.refunded_fee_minor, tax=tax)

    @property
    def disputed_parts(self):
        tax = self.disputed_minor - self.disputed_fee_minor - self.disputed_share_minor
        return Parts(amount=self.disputed_minor, fee=self.disputed_fee_minor, tax=tax)

    @property
    def account_of_share(self):
        return AVAILABLE if self.has_matured else PENDING


@dataclass(frozen=True, slots=True)
class MemoryRefund:
    order: object
    amount: Money
    status: RefundStatus
    parts: tuple = ()
    is_of_second_payment: bool = False

    @property
    def to_allocate(self):
        return self.amount - total_of(self.parts) if self.parts else self.amount

    @property
    def rest_account(self):
        return AccountKind.REFUNDS_DUE if self.is_of_second_payment else AccountKind.REFUNDS_TO_ALLOCATE


class InMemory(PayoutRules):
    def __init__(self, currency="GBP"):
        self.currency = currency
        self.balances = {}
        self.sources = {}
        self.orders = {}
        self.lines = {}
        self.refunds = {}
        self.disputes = {}
        self.payouts = {}

    def copy(self):
        other = InMemory(self.currency)
        for name, facts in vars(self).items():
            setattr(other, name, dict(facts) if isinstance(facts, dict) else facts)
        return other

    def key(self):
        """Equal for books in which the same will follow."""
        facts = [self.balances, self.orders, self.lines, self.refunds, self.disputes, self.payouts]
        return (*(frozenset(each.items()) for each in facts), frozenset(self.sources))

    def figures(self):
        """Every account that is not at zero, as readers see it."""
        return {
            (str(key.kind), key.teacher_id): CHART[key.kind].as_read(minor, key.currency).minor
            for key, minor in self.balances.items()
            if minor
        }

    def record(self, source, written):
        """As `ledger.journals.record_journal`."""
        net = net_amounts(written)
        if not net:
            return
        if source in self.sources:
            assert self.sources[source] == net, f"{source} was recorded with other entries"
            return
        self.sources[source] = net
        for key, minor in net.items():
            check_account(key)
            self.balances[key] = self.balances.get(key, 0) + minor
            if not self.balances[key]:
                del self.balances[key]

    def money(self, minor):
        return Money(minor, self.currency)

    # --- Sales and maturity ------------------------------------------------------------------------------------

    def settle(self, order, lines):
        """As `settle_payment`, with the refund of what cannot be delivered."""
        if order in self.orders:
            return
        self.orders[order] = tuple(line.pk for line in lines)
        self.lines.update({line.pk: line for line in lines})
        self.record(
            f"order:{order}:settled",
            entries.entries_of_sale(
                [
                    Portion(
                        teacher_id=line.teacher_id,
                        fee=self.money(line.platform_fee_minor),
                        share=self.money(line.teacher_share_minor),
                    )
                    for line in lines
                    if line.is_delivered
                ],
                [line.amount for line in lines if not line.is_delivered],
            ),
        )

    def pay_again(self, order, amount):
        """As the settlement of a second payment; its refund follows by itself."""
        self.record(f"payment:{order}:second", entries.entries_of_second_payment(self.money(amount)))
        self.refunds.setdefault(
            f"second-{order}",
            MemoryRefund(order, self.money(amount), RefundStatus.REQUESTED, is_of_second_payment=True),
        )

    def mature(self, pk):
        line = self.lines[pk]
        if line.has_matured or not line.is_delivered:
            return
        left = line.teacher_share_minor - line.refunded_share_minor - line.disputed_share_minor
        self.record(f"line:{pk}:matured", entries.entries_of_maturity(self.money(left), line.teacher_id))
        self.lines[pk] = replace(line, has_matured=True)

    # --- Refunds -----------------------------------------------------------------------------------------------

    def lines_of(self, order):
        return [self.lines[pk] for pk in self.orders[order]]

    def request_refund(self, key, order, wanted):
        parts = plan_refund(self.lines_of(order), wanted)
        total = total_of(parts)
        if self.refundable_of_payment(order) < total:
            raise Refused(f"{total} of {self.refundable_of_payment(order)}")
        self.refunds[key] = MemoryRefund(order, total, RefundStatus.REQUESTED)
        self.allocate(key, parts)

    def refundable_of_payment(self, order):
        left = remaining_of(self.lines_of(order))
        for refund in self.refunds.values():
            is_live = refund.status not in ("failed", "canceled")
            if refund.order == order and is_live and not refund.is_of_second_payment:
                left -= refund.to_allocate
        return left

    def allocate(self, key, parts):
        """As `write_allocations`."""
        refund = self.refunds[key]
        self.refunds[key] = replace(refund, parts=(*refund.parts, *parts))
        for part in parts:
            line = self._count(part, +1)
            source = f"refund:{key}:line:{line.pk}"
            if refund.status == "succeeded":
                written = entries.entries_of_late_allocation(
                    _as_refunded(part, line), share_account=line.account_of_share
                )
                self.record(f"{source}:allocated", written)
            elif line.is_delivered:
                written = entries.entries_of_hold(part.share, line.teacher_id, from_account=line.account_of_share)
                self.record(f"{source}:held", written)

    def report_refund(self, key, status):
        """As `record_refund` for a refund that was requested here, or reported before."""
        refund = self.refunds[key]
        change = change_after(refund.status, read_status(status))
        if change is not None:
            self.refunds[key] = replace(refund, status=change.status)
            self._book(key, change.booking)

    def report_refund_made_at_stripe(self, key, order, amount, status):
        """As `record_refund` for one that was made at Stripe, allocated if only one way is possible."""
        if key in self.refunds:
            self.report_refund(key, status)
            return
        reported = read_status(status)
        if reported not in ("failed", "canceled"):
            claim_anew(self, order, reserved=amount)
            if self.refundable_of_payment(order) < self.money(amount):
                raise Refused(f"no room for {amount}")
        self.refunds[key] = MemoryRefund(order, self.money(amount), reported)
        self._book(key, booking_of_new(reported))
        left = [line.refundable for line in self.lines_of(order) if line.refundable.minor]
        remaining = remaining_of(self.lines_of(order))
        is_clear = self.money(amount) == remaining or len(left) == 1
        if reported not in ("failed", "canceled") and is_clear and not remaining < self.money(amount):
            self.allocate_as_proposed(key)

    def allocate_as_proposed(self, key):
        refund = self.refunds[key]
        self.allocate(key, plan_refund(self.lines_of(refund.order), OverAllLines(refund.to_allocate)))

    def _book(self, key, booking):
        if booking == Booking.TAKE:
            self._take(key)
        elif booking == Booking.RELEASE:
            self._release(key)
        elif booking == Booking.RESTORE:
            self._restore(key)
        if booking in (Booking.RELEASE, Booking.RESTORE):
            for part in self.refunds[key].parts:
                self._count(part, -1)
            claim_anew(self, self.refunds[key].order)

    def _take(self, key):
        refund = self.refunds[key]
        parts = [_as_refunded(part, self.lines[part.line.pk]) for part in refund.parts]
        written = entries.entries_of_refund(parts, refund.to_allocate, rest_account=refund.rest_account)
        self.record(f"refund:{key}:succeeded", written)

    def _release(self, key):
        for part in self.refunds[key].parts:
            line = self.lines[part.line.pk]
            if line.is_delivered:
                written = entries.entries_of_release(part.share, line.teacher_id, to_account=line.account_of_share)
                self.record(f"refund:{key}:line:{line.pk}:released", written)

    def _restore(self, key):
        refund = self.refunds[key]
        lines = [self.lines[part.line.pk] for part in refund.parts]
        parts = [
            (_as_refunded(part, line), line.account_of_share) for part, line in zip(refund.parts, lines, strict=True)
        ]
        written = entries.entries_of_failed_refund(parts, refund.to_allocate, rest_account=refund.rest_account)
        self.record(f"refund:{key}:failed", written)

    def _count(self, part, times):
        """As the triggers that count what is refunded of a line."""
        line = self.lines[part.line.pk]
        line = replace(
            line,
            refunded_minor=line.refunded_minor + times * part.amount.minor,
            refunded_fee_minor=line.refunded_fee_minor + times * part.fee.minor,
            refunded_share_minor=line.refunded_share_minor + times * part.share.minor,
            refunded_tax_minor=line.refunded_tax_minor + times * part.tax.minor,
            refunded_quantity=line.refunded_quantity + times * part.quantity,
        )
        assert 0 <= line.refunded_fee_minor <= line.platform_fee_minor - line.disputed_fee_minor
        assert 0 <= line.refunded_share_minor <= line.teacher_share_minor - line.disputed_share_minor
        self.lines[line.pk] = line
        return line

    def report_dispute(self, key, reported):
        record_dispute(self, key, reported)


def _as_refunded(part, line):
    return RefundedPart(
        portion=Portion(teacher_id=line.teacher_id, fee=part.fee, share=part.share), is_delivered=line.is_delivered
    )
