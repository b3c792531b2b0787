"""What staff do after a refund: make a second payment's again, and take back what one made at Stripe left the student."""

from uuid import uuid4

import pytest

from jobs.invariants import broken
from notifications.models import Alert
from payments.invariants import INVARIANTS
from payments.models import OrderLine, Refund
from payments.refunds.decisions import (
    NothingToRepeat,
    NothingToTakeBack,
    repeat_refund_of_second_payment,
    take_back_units,
)
from payments.refunds.plan import LinePart, OfLines
from payments.settlement import settle_payment
from payments.tests.factories import client_of, evidence_for, open_order, paid_order, refunded, staff_in
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_refund_allocation import made_in_dashboard
from payments.tests.test_refund_desk import at_the_same_moment, pounds
from payments.tests.test_refund_effects import stripe_says
from payments.tests.test_second_success import another_payment_of

pytestmark = pytest.mark.django_db


def order_page(payment):
    return f"/admin/payments/order/{payment.order_id}/change/"


# A second payment


def failed_second_payment():
    """An order that was paid twice, and the failed refund of the second payment."""
    first = open_order()
    second = another_payment_of(first)
    settle_payment(evidence_for(first))
    settle_payment(evidence_for(second, payment_intent_id="pi_second"))
    refund = Refund.objects.get(payment=second)
    stripe_says(refund, "failed", failure_reason="lost_or_stolen_card")
    return first, refund


def again_page(refund):
    return f"/admin/payments/refund/{refund.pk}/again/"


def test_a_second_payment_whose_refund_failed_is_refunded_again_once(finance):
    payment, failed = failed_second_payment()
    alert = Alert.objects.get(key=f"refund-failed:{failed.pk}")
    assert alert.detail["page"] == again_page(failed)
    assert again_page(failed) in finance.get(order_page(payment)).content.decode()
    token = finance.get(again_page(failed)).context["form"].initial["token"]
    for words in ("is requested and on its way", "This form was sent before"):
        page = finance.post(again_page(failed), {"token": token, "note": "New card"}, follow=True).content.decode()
        assert words in page
    again = Refund.objects.latest("pk")
    assert Refund.objects.count() == 2
    assert (again.payment, again.amount, again.reason) == (failed.payment, failed.amount, "second_payment")
    assert [(change.kind, change.note) for change in again.changes.all()] == [("requested", "New card")]
    alert.refresh_from_db()
    assert alert.cleared_at
    page = finance.post(again_page(failed), {"token": uuid4()}, follow=True).content.decode()
    assert "another member of staff has already refunded it" in page
    assert Refund.objects.count() == 2
    assert broken(INVARIANTS) == {}


def test_other_refunds_are_not_made_again_there(finance):
    refund = refunded(paid_order(2500))
    assert finance.get(again_page(refund)).status_code == 404
    stripe_says(refund, "failed")
    assert finance.get(again_page(refund)).status_code == 404
    assert client_of(staff_in("support")).get(again_page(refund)).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_of_two_staff_who_repeat_it_at_once_one_wins():
    _, failed = failed_second_payment()
    people = [staff_in("finance"), staff_in("finance")]
    done = at_the_same_moment(
        *(
            lambda person=person: repeat_refund_of_second_payment(
                refund_id=failed.pk, note="", request_key=uuid4().hex, by_id=person.pk
            )
            for person in people
        )
    )
    assert sorted(type(each).__name__ for each in done) == ["NothingToRepeat", "Refund"]
    assert isinstance(next(each for each in done if not isinstance(each, Refund)), NothingToRepeat)


# What a refund made at Stripe left the student


@pytest.fixture
def kept():
    """An order of three places that was refunded in full at Stripe, which returns no places."""
    payment = paid_order(1000, quantity=3)
    refund = made_in_dashboard(payment, 3000)
    return payment, refund, refund.allocations.get()


def take_back_page(part):
    return f"/admin/payments/refund/{part.refund_id}/take-back/{part.pk}/"


def test_staff_are_alerted_and_take_back_what_a_full_refund_at_stripe_left(finance, kept):
    payment, refund, part = kept
    alert = Alert.objects.get(key=f"refund-keeps-access:{refund.pk}")
    assert alert.detail["page"] == order_page(payment)
    assert take_back_page(part) in finance.get(order_page(payment)).content.decode()
    page = finance.get(take_back_page(part))
    assert "£30.00 was refunded, but the student still has 3 of 3." in page.content.decode()
    answers = {**page.context["form"].initial, "note": "Agreed"}
    finance.post(take_back_page(part), answers)
    line = OrderLine.objects.get(pk=part.line_id)
    assert (line.state, SAMPLE.revoked) == ("revoked", {line.pk: (3, "Refunded.")})
    change = refund.changes.get(kind="revoked")
    assert (change.note, change.by.groups.get().name) == (f"{line.title}: 3 samples given back. Agreed", "finance")
    alert.refresh_from_db()
    assert alert.cleared_at
    assert finance.get(take_back_page(part)).status_code == 404
    assert broken(INVARIANTS) == {}


def test_some_units_can_be_taken_back_and_a_stale_or_impossible_form_changes_nothing(finance, kept):
    _, _, part = kept
    answers = finance.get(take_back_page(part)).context["form"].initial
    for impossible in ({"units": 4}, {"units": 0}, {"units": -1}, {"units": "x"}, {"seen": 1}):
        finance.post(take_back_page(part), answers | impossible)
        assert SAMPLE.revoked == {}
    finance.post(take_back_page(part), answers | {"units": 1})
    page = finance.post(take_back_page(part), answers | {"units": 2}, follow=True).content.decode()
    assert "has changed since you opened this page" in page
    line = OrderLine.objects.get(pk=part.line_id)
    assert (line.state, line.revoked_quantity) == ("fulfilled", 1)


def test_what_a_refund_returns_or_a_failed_one_left_is_not_taken_back_there(finance, kept):
    _, refund, part = kept
    payment = paid_order(1000, quantity=2)
    returned = refunded(payment, OfLines([LinePart(line_id=payment.order.lines.get().pk, quantity=1)]))
    stripe_says(returned, "succeeded")
    assert finance.get(take_back_page(returned.allocations.get())).status_code == 404
    assert finance.get(f"/admin/payments/refund/{returned.pk}/take-back/{part.pk}/").status_code == 404
    stripe_says(refund, "failed")
    assert finance.get(take_back_page(part)).status_code == 404
    assert client_of(staff_in("support")).get(take_back_page(part)).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_of_two_staff_who_take_it_back_at_once_one_wins(kept):
    _, _, part = kept
    person = staff_in("finance")

    def take():
        return take_back_units(part_id=part.pk, units=1, seen=0, note="", by_id=person.pk)

    done = at_the_same_moment(take, take)
    assert sorted(type(each).__name__ for each in done) == ["NothingToTakeBack", "RefundChange"]
    assert any(isinstance(each, NothingToTakeBack) for each in done)
    assert OrderLine.objects.get(pk=part.line_id).revoked_quantity == 1


def test_a_partial_refund_at_stripe_raises_no_alert_about_access():
    payment = paid_order(2500)
    refund = made_in_dashboard(payment, 1000)
    assert refund.allocations.get().amount == pounds(1000)
    assert not Alert.objects.filter(key__startswith="refund-keeps-access").exists()
