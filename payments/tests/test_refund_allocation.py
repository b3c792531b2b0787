"""The page on which staff allocate refunds made at Stripe to lines."""

import pytest

from jobs.invariants import broken
from notifications.models import Alert
from payments.invariants import INVARIANTS
from payments.models import OrderLine, Refund
from payments.refunds.allocations import propose_allocation
from payments.refunds.decisions import (
    NothingToAllocate,
    allocate_refund,
    preview_of_allocation,
)
from payments.refunds.plan import LinePart, OfLines, OverAllLines
from payments.refunds.preview import PreviewOutdated
from payments.refunds.recording import record_refund
from payments.tests.factories import client_of, paid_order, refunded, staff_in
from payments.tests.sample_domain import SAMPLE
from payments.tests.test_refund_desk import asks_for, at_the_same_moment, figures, name, pounds
from payments.tests.test_refund_effects import mails, stripe_says
from payments.tests.test_refund_recording import said

pytestmark = pytest.mark.django_db


def made_in_dashboard(payment, minor, status="succeeded"):
    return record_refund(said(payment, status, amount=pounds(minor))).refund


@pytest.fixture
def waiting():
    """An order of two lines, and a refund of 16.00 of it that was made in the Dashboard."""
    payment = paid_order(2500, 1500)
    return payment, made_in_dashboard(payment, 1600)


def allocation_page(refund):
    return f"/admin/payments/refund/{refund.pk}/allocate/"


def allocation(client, refund):
    context = client.get(allocation_page(refund)).context
    return dict(context["form"].data) | {"seen": context["preview"].digest}


def test_the_proposal_is_accepted_in_two_clicks(finance, waiting):
    _, refund = waiting
    alert = Alert.objects.get(key=f"refund-to-allocate:{refund.pk}")
    assert alert.detail["page"] == allocation_page(refund)
    queue = finance.get("/admin/payments/refund/?allocation=open").content.decode()
    assert allocation_page(refund) in queue
    answers = allocation(finance, refund) | {"do": "allocate", "note": "Agreed by telephone"}
    page = finance.post(allocation_page(refund), answers, follow=True).content.decode()
    assert "The refund of £16.00 is allocated." in page
    assert figures(refund) == [(600, 60, 540, 0), (1000, 100, 900, 0)]
    alert.refresh_from_db()
    assert alert.cleared_at
    change = refund.changes.get(kind="allocated")
    assert (change.by.groups.get().name, change.note) == ("finance", "Agreed by telephone")
    assert allocation_page(refund) not in finance.get("/admin/payments/refund/?allocation=open").content.decode()
    assert SAMPLE.revoked == {}
    assert ("succeeded", ":teacher") in mails(refund)
    assert broken(INVARIANTS) == {}


def test_amounts_and_places_can_be_changed_and_the_places_go_back(finance, waiting):
    payment, refund = waiting
    small, large = payment.order.lines.order_by("amount_minor")
    answers = allocation(finance, refund) | {
        f"{name(small)}_amount": "15.00",
        f"{name(small)}_places": "1",
        f"{name(large)}_amount": "1.00",
    }
    shown = finance.post(allocation_page(refund), answers | {"do": "allocate"})
    assert "You changed the form." in shown.content.decode()
    assert not refund.allocations.exists()
    finance.post(allocation_page(refund), answers | {"do": "allocate", "seen": shown.context["preview"].digest})
    assert figures(refund) == [(1500, 150, 1350, 1), (100, 10, 90, 0)]
    assert set(SAMPLE.revoked) == {small.pk}
    assert OrderLine.objects.get(pk=small.pk).state == "revoked"


def test_places_of_a_pending_refund_go_back_when_it_succeeds():
    payment = paid_order(2500, 1500)
    refund = made_in_dashboard(payment, 1500, status="pending")
    line = payment.order.lines.get(amount_minor=1500)
    wanted = OfLines([LinePart(line_id=line.pk)])
    seen = preview_of_allocation(refund, wanted).digest
    allocate_refund(refund_id=refund.pk, wanted=wanted, seen=seen, note="", by_id=staff_in().pk)
    assert SAMPLE.revoked == {}
    stripe_says(refund, "succeeded")
    assert set(SAMPLE.revoked) == {line.pk}


@pytest.mark.parametrize(
    ("small", "large", "word"),
    [
        ("6.00", "9.00", "The refund is £16.00, but the lines add up to £15.00."),
        ("6.00", "10.01", "The refund is £16.00, but the lines add up to £16.01."),
        ("15.01", "0.99", "£15.01 is more than the £15.00 that remains."),
        ("-1", "17.00", "cannot be negative"),
        ("", "", "Enter an amount for at least one line."),
    ],
)
def test_an_allocation_that_does_not_add_up_is_refused(finance, waiting, small, large, word):
    payment, refund = waiting
    lines = payment.order.lines.order_by("amount_minor")
    typed = {f"{name(line)}_amount": text for line, text in zip(lines, (small, large), strict=True)}
    page = finance.post(allocation_page(refund), allocation(finance, refund) | typed | {"do": "allocate"})
    assert word in page.content.decode()
    assert not refund.allocations.exists()


def test_an_allocated_and_a_failed_refund_are_not_allocated_again(finance, waiting):
    payment, refund = waiting
    answers = allocation(finance, refund) | {"do": "allocate"}
    finance.post(allocation_page(refund), answers)
    again = finance.post(allocation_page(refund), answers, follow=True).content.decode()
    assert "This refund is allocated already, by" in again
    assert refund.changes.filter(kind="allocated").count() == 1
    failed = made_in_dashboard(paid_order(2500, 1500), 1600)
    answers = allocation(finance, failed) | {"do": "allocate"}
    stripe_says(failed, "failed")
    assert "This refund has failed" in finance.post(allocation_page(failed), answers, follow=True).content.decode()
    assert Alert.objects.get(key=f"refund-to-allocate:{failed.pk}").cleared_at
    assert finance.get(allocation_page(refunded(payment))).status_code == 404


def test_support_may_not_allocate(waiting):
    _, refund = waiting
    client = client_of(staff_in("support"))
    assert client.get(allocation_page(refund)).status_code == 403
    assert client.post(allocation_page(refund), {"do": "allocate"}).status_code == 403


def allocates(refund, person):
    wanted = OfLines(
        [
            LinePart(line_id=part.line.pk, amount=part.amount)
            for part in propose_allocation(refund, list(refund.payment.order.lines.all()))
        ]
    )
    seen = preview_of_allocation(refund, wanted).digest
    return lambda: allocate_refund(refund_id=refund.pk, wanted=wanted, seen=seen, note="", by_id=person.pk)


@pytest.mark.django_db(transaction=True)
def test_of_two_staff_who_allocate_at_once_one_wins_and_the_other_is_told():
    refund = made_in_dashboard(paid_order(2500, 1500), 1600)
    done = at_the_same_moment(allocates(refund, staff_in("finance")), allocates(refund, staff_in("finance")))
    assert sorted(type(each).__name__ for each in done) == ["NothingToAllocate", "Refund"]
    assert refund.allocations.count() == 2
    assert broken(INVARIANTS) == {}


@pytest.mark.django_db(transaction=True)
def test_a_refund_and_an_allocation_at_once_never_take_more_than_a_line():
    payment = paid_order(2500, 1500)
    refund = made_in_dashboard(payment, 1600)
    done = at_the_same_moment(
        allocates(refund, staff_in("finance")), asks_for(payment, OverAllLines(pounds(2400)), staff_in("finance"))
    )
    assert any(isinstance(each, Refund) for each in done)
    assert all(isinstance(each, Refund | PreviewOutdated | NothingToAllocate) for each in done)
    assert broken(INVARIANTS) == {}


def test_an_allocation_whose_line_was_refunded_meanwhile_says_so(finance, waiting):
    payment, refund = waiting
    answers = allocation(finance, refund)
    refunded(payment, OfLines([LinePart(line_id=payment.order.lines.get(amount_minor=1500).pk)]))
    page = finance.post(allocation_page(refund), answers | {"do": "allocate"}).content.decode()
    assert "has changed what remains" in page
    assert not refund.allocations.exists()
