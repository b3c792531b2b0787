"""What a refund or dispute leaves of each line can be refunded, in currencies that are charged in steps."""

import pytest

from jobs.invariants import broken, installed_invariants
from money import Money
from payments.models import OrderLine, Refund
from payments.refunds.plan import LinePart, OfLines, OverAllLines
from payments.refunds.requests import request_refund
from payments.tests.disputing import Case
from payments.tests.factories import paid_order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample_domain")]

# A third of it is not a whole step.
STEPS = pytest.mark.parametrize(("currency", "minor"), [("KWD", 10_000), ("ISK", 100_000), ("UGX", 1_000_000)])


def refund_of_what_is_left(payment, line):
    return request_refund(
        order_id=payment.order_id,
        wanted=OfLines([LinePart(line_id=line.pk)]),
        reason=Refund.Reason.GOODWILL,
        request_key=f"line:{line.pk}",
    )


def refund_each_line(payment):
    for line in OrderLine.objects.filter(order=payment.order_id):
        assert refund_of_what_is_left(payment, line).amount == line.refundable
    payment.refresh_from_db()
    assert payment.refundable.minor == 0
    assert broken(installed_invariants()) == {}


@STEPS
def test_what_a_spread_refund_leaves_of_each_line_can_be_refunded(currency, minor):
    payment = paid_order(minor, minor, minor, currency=currency)
    request_refund(
        order_id=payment.order_id,
        wanted=OverAllLines(Money(minor, currency)),
        reason=Refund.Reason.GOODWILL,
        request_key="spread",
    )
    refund_each_line(payment)


@STEPS
def test_what_a_lost_dispute_leaves_of_each_line_can_be_refunded(currency, minor):
    payment = paid_order(minor, minor, minor, currency=currency)
    case = Case(payment, minor)
    case.open()
    case.lose()
    refund_each_line(payment)


@STEPS
def test_what_a_partly_won_dispute_leaves_of_each_line_can_be_refunded(currency, minor):
    payment = paid_order(minor, minor, minor, currency=currency)
    case = Case(payment, 2 * minor)
    case.open()
    case.win(minor)
    refund_each_line(payment)
