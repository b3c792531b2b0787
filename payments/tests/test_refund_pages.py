"""The pages on which students and staff see pending, succeeded and failed refunds."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from jobs.runner import drain
from money import Money
from notifications.models import Alert
from payments.models import Order, OrderLine, Payment, Refund
from payments.refunds.plan import OverAllLines
from payments.refunds.recording import record_refund
from payments.stripe_objects import read_refund
from payments.tests.factories import paid_order, refund_object, refunded

pytestmark = pytest.mark.django_db


def pounds(minor):
    return Money(minor, "GBP")


def page_of(payment):
    client = Client()
    client.force_login(payment.order.user)
    return client.get(payment.order.get_absolute_url()).content.decode()


def stripe_says(refund, status, **changes):
    record_refund(read_refund(refund_object(refund, status=status, **changes)))
    refund.refresh_from_db()


def test_a_student_sees_whether_a_refund_is_pending_succeeded_or_failed():
    payment = paid_order(2500, 1500)
    assert "On its way" not in page_of(payment)
    refund = refunded(payment, OverAllLines(pounds(1600)), note="Rude on the telephone")
    page = page_of(payment)
    assert "Refunds" in page
    assert "£16.00" in page
    assert "On its way" in page
    assert "£10.00 refunded or being refunded" in page
    assert "Rude" not in page
    stripe_says(refund, "requires_action")
    assert "Waiting for you" in page_of(payment)
    stripe_says(refund, "succeeded")
    page = page_of(payment)
    assert "Your bank can take up to ten days" in page
    assert "On its way" not in page
    stripe_says(refund, "failed", failure_reason="lost_or_stolen_card")
    page = page_of(payment)
    assert "Failed" in page
    assert "being refunded" not in page
    assert "lost_or_stolen_card" not in page


def test_a_revoked_line_does_not_say_that_it_was_never_bought():
    payment = paid_order(2500)
    refunded(payment)
    payment.order.lines.update(state=OrderLine.State.REVOKED, revoked_quantity=1)
    page = page_of(payment)
    assert "Cancelled" in page
    assert "Not bought" not in page


def states(payment):
    return Payment.objects.get(pk=payment.pk).refund_state, Order.objects.get(pk=payment.order_id).refund_state


def test_refunded_and_partially_refunded_follow_from_what_stripe_confirmed():
    payment = paid_order(2500, 1500)
    assert states(payment) == ("", "")
    part = refunded(payment, OverAllLines(pounds(1500)))
    assert states(payment) == ("Refund under way", "Refund under way")
    stripe_says(part, "succeeded")
    assert states(payment) == ("Partially refunded", "Partially refunded")
    rest = refunded(payment)
    assert states(payment) == ("Partially refunded", "Partially refunded")
    stripe_says(rest, "succeeded")
    assert states(payment) == ("Refunded", "Refunded")
    stripe_says(part, "failed")
    assert states(payment) == ("Partially refunded", "Partially refunded")
    stripe_says(rest, "failed")
    assert states(payment) == ("", "")


@pytest.fixture
def staff():
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.org", "correct horse battery"))
    return client


def test_staff_see_a_refund_with_its_allocations_and_find_it_from_the_order(staff):
    payment = paid_order(2500, 1500)
    refund = refunded(payment, OverAllLines(pounds(1600)), note="Rained off")
    stripe_says(refund, "succeeded", id="re_seen")
    page = staff.get(f"/admin/payments/refund/{refund.pk}/change/").content.decode()
    for expected in (payment.order.number, "£16.00", "£10.00", "£1.00", "£9.00", "£6.00", "re_seen", "Rained off"):
        assert expected in page
    order_page = staff.get(f"/admin/payments/order/{payment.order_id}/change/").content.decode()
    assert f"/admin/payments/refund/{refund.pk}/change/" in order_page
    assert "Partially refunded" in order_page
    assert "£24.00 of £40.00 can be refunded" in order_page
    for query in (payment.order.number, "re_seen"):
        assert "£16.00" in staff.get("/admin/payments/refund/", {"q": query}).content.decode()


@pytest.mark.parametrize("name", ["order", "payment", "refund"])
def test_lists_with_refunds_take_the_same_number_of_queries_for_1_and_10_rows(staff, name):
    counts = []
    for rows in (1, 9):
        for _ in range(rows):
            stripe_says(refunded(paid_order(), OverAllLines(pounds(1600))), "succeeded")
        staff.get(f"/admin/payments/{name}/")
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(f"/admin/payments/{name}/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_refund_that_could_not_be_sent_alerts_and_is_retried_from_its_list(staff):
    refund = refunded(paid_order())
    Payment.objects.update(stripe_payment_intent_id=None)
    drain(Refund, seconds=5)
    refund.refresh_from_db()
    assert refund.state == "parked"
    assert refund.payment.order.number in str(Alert.objects.get(key=f"refund-parked:{refund.pk}").detail)
    staff.post("/admin/payments/refund/", {"action": "retry_selected", "_selected_action": [refund.pk]})
    refund.refresh_from_db()
    assert refund.state == "waiting"
