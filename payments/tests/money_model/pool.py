"""Orders, written once: each sequence begins with them, and is rolled back to them.

In each currency one order is paid and the other waits for its payment, since a settlement is what takes the longest.
"""

import uuid
from dataclasses import dataclass

from django.db.models import Sum
from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from ledger.chart import CHART
from ledger.entries import AccountKind
from ledger.models import Posting
from money import Money
from payments.models import Payment, Refund
from payments.models.order import lines_in_lock_order
from payments.settlement import settle_payment
from payments.tests.factories import evidence_for, open_order, sample_offer
from payments.tests.money_model.plain import Line, Plain, fee_of
from payments.tests.money_model.plain import Refund as PlainRefund
from payments.tests.payout_factories import ready_account
from payments.tests.sample_domain import SAMPLE

# Their minor units are whole units, hundredths and thousandths. Stripe charges KWD in hundredths only.
CURRENCIES = {"JPY": 1, "GBP": 1, "KWD": 10}
# Prices in steps of the currency; the fee of a third of 1005 is no whole number. The last line cannot be delivered.
PRICES = ((1005, 335, 70), (2400, 999))


@dataclass(frozen=True)
class Pool:
    """`plain` has the facts of the paid orders, by currency; `accounts` the teachers' accounts at Stripe."""

    orders: tuple
    plain: dict
    teachers: list
    accounts: dict
    staff: object


@dataclass(frozen=True)
class PooledOrder:
    """An order whose page is open, and a payment of it that had ended."""

    payment: Payment
    earlier: Payment
    undeliverable: str

    @property
    def pk(self):
        return self.payment.order_id

    @property
    def currency(self):
        return self.payment.currency


def fill_pool():
    """Two orders in each currency, of lines of two teachers."""
    teachers = [TeacherFactory(), TeacherFactory()]
    orders, plain = [], {}
    for currency, step in CURRENCIES.items():
        paid, waiting = (
            _open(currency, step, prices, teachers, is_all_delivered=not number) for number, prices in enumerate(PRICES)
        )
        settle_payment(evidence_for(paid.payment))
        plain[currency] = Plain(step)
        add_sale(plain[currency], paid)
        orders += [paid, waiting]
    accounts = {teacher.pk: ready_account(teacher).stripe_account_id for teacher in teachers}
    return Pool(tuple(orders), plain, teachers, accounts, staff=UserFactory(is_staff=True))


def _open(currency, step, prices, teachers, *, is_all_delivered):
    references = [
        sample_offer(Money(price * step, currency), teacher=teachers[number % 2]) for number, price in enumerate(prices)
    ]
    for reference, teacher in zip(references, [*teachers, *teachers], strict=False):
        SAMPLE.teacher_ids[reference] = teacher.pk
    payment = open_order(*references)
    reference = uuid.uuid4()
    earlier = Payment.objects.create(
        order=payment.order,
        reference=reference,
        idempotency_key=f"key-{reference}",
        session_request=payment.session_request,
        status="expired",
        ended_at=timezone.now(),
        stripe_session_id=f"cs_test_{reference.hex}",
        session_url="http://127.0.0.1/",
        amount_minor=payment.amount_minor,
        currency=currency,
        expires_at=payment.expires_at,
        livemode=False,
    )
    return PooledOrder(payment, earlier, "" if is_all_delivered else references[-1])


def add_sale(plain, order):
    """The facts of a paid order, with the refund that follows if a line cannot be delivered."""
    # The sequence decides which of equal lines get what is left when an amount is spread.
    lines = lines_in_lock_order(order.payment.order)
    undeliverable = [line for line in lines if line.reference == order.undeliverable]
    plain.orders[order.pk] = tuple(line.pk for line in lines)
    for line in lines:
        plain.lines[line.pk] = Line(
            line.teacher_id, line.amount_minor, fee_of(line.amount_minor), is_delivered=line not in undeliverable
        )
    for refund in Refund.objects.filter(payment=order.payment):
        parts = plain.parts_of_lines({line.pk: line.amount_minor for line in undeliverable})
        plain.refunds[refund.pk] = PlainRefund(order.pk, sum(part.amount for part in parts), parts)


def figures_of_ledger():
    """Every account that is not at zero, by currency, then by kind and teacher, as readers see it. One query."""
    rows = Posting.objects.values_list("account__kind", "account__teacher_id", "account__currency").annotate(
        minor=Sum("amount_minor")
    )
    figures = {currency: {} for currency in CURRENCIES}
    for kind, teacher, currency, minor in rows:
        if minor:
            figures[currency][kind, teacher] = CHART[AccountKind(kind)].as_read(int(minor), currency).minor
    return figures
