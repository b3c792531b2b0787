"""`correct_by_reversal` takes nothing out of the books that happened to a sale, refund, dispute or payout."""

import pytest

from accounts.tests.factories import TeacherFactory
from jobs.invariants import broken
from ledger.balances import balance_of
from ledger.corrections import BelongsInTheBooks, correct_by_reversal
from ledger.entries import AccountKind
from ledger.models import Journal
from ledger.tests.test_journals import sale
from money import Money
from payments.earnings.maturing import mature_earnings
from payments.invariants import INVARIANTS
from payments.models import Earning
from payments.refunds.plan import OverAllLines
from payments.tests.disputing import Case
from payments.tests.factories import paid_order, refunded
from payments.tests.test_earnings import report

pytestmark = pytest.mark.django_db


def reverse(source):
    return correct_by_reversal(source=source, why="A test.", by="staff@example.org")


def sales_with_everything():
    paid_order()
    Earning.objects.update(look_at="2000-01-01T00:00Z")
    mature_earnings()
    report(refunded(paid_order(4000), OverAllLines(Money(1000, "GBP"))), "succeeded")
    report(refunded(paid_order(4000), OverAllLines(Money(1000, "GBP"))), "failed")
    refunded(paid_order(4000))
    lost = Case(paid_order(5000), 2000)
    lost.open()
    lost.lose()
    Case(paid_order(5000), 2000).open()


def test_no_journal_of_what_happened_can_be_reversed():
    sales_with_everything()
    sources = list(Journal.objects.order_by("pk").values_list("source", flat=True))
    assert len(sources) > 15
    for source in sources:
        with pytest.raises(BelongsInTheBooks):
            reverse(source)
    assert list(Journal.objects.order_by("pk").values_list("source", flat=True)) == sources


def test_a_sale_that_was_booked_a_second_time_can_be_reversed():
    paid_order()
    teacher = TeacherFactory()
    sale(teacher, source="booked by mistake")
    sale(TeacherFactory(), source="another mistake")
    assert set(broken(INVARIANTS)) == {"payments.pending_is_what_has_not_matured"}
    reverse("booked by mistake")
    assert balance_of(AccountKind.TEACHER_PENDING, "GBP", teacher_id=teacher.pk) == Money(0, "GBP")
    reverse("another mistake")
    assert broken(INVARIANTS) == {}
