"""What the platform itself sells has no teacher: all of the money is its own, on every page and in the books."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import User
from jobs.runner import drain
from ledger.balances import balance_of
from ledger.entries import AccountKind
from money import Money
from notifications.models import Mail
from payments.models import Earning, OrderLine
from payments.refunds.recording import record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import read_refund
from payments.tests.factories import (
    client_of,
    evidence_for,
    open_order,
    refund_object,
    refunded,
    sample_offer,
)
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(all_invariants_hold):
    """A paid order of something that no teacher sells."""
    reference = sample_offer(Money(1999, "GBP"))
    SAMPLE.teacher_ids[reference] = None
    payment = open_order(reference)
    settle_payment(evidence_for(payment))
    payment.refresh_from_db()
    return payment


def balance(kind):
    return balance_of(kind, "GBP").minor


def test_the_whole_amount_is_the_platforms(payment):
    line = payment.order.lines.get()
    assert (line.teacher, line.platform_fee_minor, line.teacher_share_minor, line.commission_bps) == (
        None,
        1999,
        0,
        10_000,
    )
    assert balance(AccountKind.PLATFORM_FEES) == 1999
    assert not Earning.objects.exists()


def test_a_refund_takes_all_of_it_from_the_platform(payment):
    refund = refunded(payment)
    record_refund(read_refund(refund_object(refund)))
    assert balance(AccountKind.PLATFORM_FEES) == 0
    assert balance(AccountKind.STRIPE_CLEARING) == 0
    drain(Mail, seconds=5)
    assert set(Mail.objects.values_list("to", flat=True)) == {payment.order.user.email}


def test_pages_say_that_the_site_sold_it(payment, settings):
    settings.SITE_NAME = "The Reading Room"
    order, student = payment.order, client_of(payment.order.user)
    assert "The Reading Room" in student.get(order.get_absolute_url()).content.decode()
    assert "by <bdi>The Reading Room</bdi>" in student.get(reverse("payments:orders")).content.decode()
    assert student.get(f"/api/v1/orders/{order.number}").json()["lines"][0]["teacher"] == ""
    boss = client_of(User.objects.create_superuser("boss@example.org", "correct horse battery"))
    assert boss.get(reverse("admin:payments_order_change", args=[order.pk])).status_code == 200
    asked = boss.get(reverse("admin:payments_order_refund", args=[order.pk])).content.decode()
    assert "The Reading Room" in asked
    refunded(payment)
    assert boss.get(reverse("admin:payments_order_change", args=[order.pk])).status_code == 200


def test_the_database_gives_nobody_a_share_of_it(payment):
    with pytest.raises(IntegrityError, match="order_line_of_platform_has_no_share"), transaction.atomic():
        OrderLine.objects.update(platform_fee_minor=1899, teacher_share_minor=100)
