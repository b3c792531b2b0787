"""What follows from a refund: its history, what is taken back, and the mails. Each once, and only when Stripe confirms."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.tests.factories import UserFactory
from jobs.invariants import broken
from money import Money
from notifications.delivery import render
from notifications.models import Mail
from payments.cancellations.lines import cancel_for_student, offer_cancellation
from payments.invariants import INVARIANTS
from payments.models import OrderLine, Refund, RefundChange
from payments.refunds.decisions import take_back_units
from payments.refunds.plan import LinePart, OfLines, OverAllLines
from payments.refunds.preview import preview_of_request
from payments.refunds.recording import record_refund
from payments.revocation import revoke_units
from payments.settlement import settle_payment
from payments.stripe_objects import read_refund
from payments.tests.factories import evidence_for, open_order, paid_order, refund_object, refunded, sample_offer
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db


def pounds(minor):
    return Money(minor, "GBP")


def stripe_says(refund, status, **changes):
    record_refund(read_refund(refund_object(refund, status=status, **changes)))
    refund.refresh_from_db()


def places(payment, number, *, line=None):
    line = line or payment.order.lines.get()
    return refunded(payment, OfLines([LinePart(line_id=line.pk, quantity=number)]))


def changes(refund):
    return [(change.kind, change.note) for change in refund.changes.all()]


def mails(refund):
    found = Mail.objects.filter(key__startswith=f"refund:{refund.pk}:").order_by("pk")
    return [each.key.removeprefix(f"refund:{refund.pk}:").partition(":teacher")[:2] for each in found]


def mail(refund, kind, to="student"):
    key = f"refund:{refund.pk}:{kind}"
    found = Mail.objects.filter(key=key) if to == "student" else Mail.objects.filter(key__startswith=f"{key}:teacher")
    return render(found.get()).text


def test_every_status_is_recorded_with_its_time_and_reason_and_the_person_who_asked():
    payment, staff = paid_order(2500), UserFactory()
    refund = refunded(payment, OverAllLines(pounds(100)), note="Rained off", requested_by_id=staff.pk)
    stripe_says(refund, "pending", pending_reason="charge_pending")
    stripe_says(refund, "pending", pending_reason="processing")
    stripe_says(refund, "pending", pending_reason="processing")
    stripe_says(refund, "succeeded")
    stripe_says(refund, "failed", failure_reason="lost_or_stolen_card")
    assert changes(refund) == [
        ("requested", "Rained off"),
        ("pending", "charge_pending"),
        ("pending", "processing"),
        ("succeeded", ""),
        ("failed", "lost_or_stolen_card"),
    ]
    assert [change.by for change in refund.changes.all()] == [staff, None, None, None, None]


def test_a_refund_that_stripe_refuses_is_recorded_with_the_reason():
    refund = refunded(paid_order(2500))
    Refund.objects.filter(pk=refund.pk).update(status="failed", failure_reason="charge_disputed")
    assert changes(refund)[-1] == ("failed", "charge_disputed")


def test_changes_cannot_be_changed_or_deleted():
    refund = refunded(paid_order(2500))
    for change in (
        lambda: RefundChange.objects.update(note="another reason"),
        lambda: refund.changes.all()._raw_delete("default"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    assert changes(refund) == [("requested", "")]


def test_places_go_back_once_when_stripe_confirms_and_not_before():
    payment = paid_order(1000, quantity=3)
    line = payment.order.lines.get()
    first = places(payment, 1)
    stripe_says(first, "pending")
    assert SAMPLE.revoked == {}
    stripe_says(first, "succeeded")
    stripe_says(first, "succeeded")
    assert SAMPLE.revoked == {line.pk: (1, "Refunded.")}
    assert SAMPLE.calls["revoke", line.reference] == 1
    line.refresh_from_db()
    assert (line.state, line.revoked_quantity) == ("fulfilled", 1)
    rest = places(payment, 2)
    stripe_says(rest, "succeeded")
    line.refresh_from_db()
    assert SAMPLE.revoked == {line.pk: (3, "Refunded.")}
    assert (line.state, line.revoked_quantity) == ("revoked", 3)
    assert changes(first)[-1] == ("revoked", f"{line.title}: 1 sample given back")
    assert changes(rest)[-1] == ("revoked", f"{line.title}: 2 samples given back")


def test_an_amount_without_places_takes_nothing_back():
    payment = paid_order(1000, quantity=2)
    stripe_says(refunded(payment, OverAllLines(pounds(2000))), "succeeded")
    assert SAMPLE.revoked == {}
    assert payment.order.lines.get().state == "fulfilled"


def test_a_failed_refund_gives_nothing_back_and_delivers_nothing_again():
    payment = paid_order(1000, quantity=2)
    line = payment.order.lines.get()
    refused = places(payment, 1)
    stripe_says(refused, "failed")
    assert SAMPLE.revoked == {}
    fails_later = places(payment, 1)
    stripe_says(fails_later, "succeeded")
    stripe_says(fails_later, "failed")
    line.refresh_from_db()
    assert (line.revoked_quantity, SAMPLE.calls["fulfil", line.reference]) == (1, 1)
    # Refunded again, the same place is not taken back a second time.
    again = places(payment, 1)
    stripe_says(again, "succeeded")
    line.refresh_from_db()
    assert (line.revoked_quantity, SAMPLE.calls["revoke", line.reference]) == (1, 1)


def cancelled_for_nothing(line, key):
    SAMPLE.full_until = SAMPLE.half_until = timezone.now()
    line = OrderLine.objects.select_related("order").get(pk=line.pk)
    digest = offer_cancellation(line=line, keys=[key], at=timezone.now()).digest
    assert cancel_for_student(line_id=line.pk, keys=[key], digest=digest).refund is None


def test_a_place_cancelled_without_a_refund_is_not_the_one_that_staff_take_back():
    payment = paid_order(1000, quantity=3)
    line = payment.order.lines.get()
    cancelled_for_nothing(line, "1")
    refund = places(payment, 1)
    stripe_says(refund, "succeeded")
    line.refresh_from_db()
    assert (line.revoked_quantity, line.state, SAMPLE.delivered[line.pk]) == (2, "fulfilled", ["2"])
    assert changes(refund)[-1] == ("revoked", f"{line.title}: 1 sample given back")
    stripe_says(places(payment, 1), "succeeded")
    line.refresh_from_db()
    assert (line.revoked_quantity, line.state, SAMPLE.delivered[line.pk]) == (3, "revoked", [])
    assert broken(INVARIANTS) == {}


def test_a_place_cancelled_without_a_refund_while_another_is_refunded_leaves_one():
    payment = paid_order(1000, quantity=3)
    line = payment.order.lines.get()
    refund = places(payment, 1)
    cancelled_for_nothing(line, "2")
    stripe_says(refund, "succeeded")
    assert SAMPLE.delivered[line.pk] == ["1"]


def test_places_that_staff_took_back_are_not_counted_among_those_of_a_later_refund():
    payment = paid_order(1000, quantity=3)
    line = payment.order.lines.get()
    by_amount = refunded(payment, OverAllLines(pounds(1000)))
    stripe_says(by_amount, "succeeded")
    part = by_amount.allocations.get()
    take_back_units(part_id=part.pk, units=1, seen=0, note="", by_id=UserFactory().pk)
    stripe_says(places(payment, 1), "succeeded")
    assert SAMPLE.delivered[line.pk] == ["1"]
    assert broken(INVARIANTS) == {}


def test_the_preview_says_how_many_places_a_refund_takes_back():
    payment = paid_order(1000, quantity=3)
    line = payment.order.lines.get()
    cancelled_for_nothing(line, "1")
    wanted = OfLines([LinePart(line_id=line.pk, quantity=1)])
    [(_, effect)] = preview_of_request(payment.order, wanted).rows
    assert effect == "Give the sample back: 1 of 3."


def test_the_invariant_notices_a_place_that_was_refunded_but_kept():
    payment = paid_order(1000, quantity=3)
    line = payment.order.lines.get()
    cancelled_for_nothing(line, "1")
    stripe_says(places(payment, 1), "succeeded")
    OrderLine.objects.filter(pk=line.pk).update(revoked_quantity=1)
    assert broken(INVARIANTS) == {"payments.returned_units_are_revoked": [line.pk]}


def test_the_database_keeps_unreturned_units_within_the_revoked():
    line = paid_order(1000, quantity=3).order.lines.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderLine.objects.filter(pk=line.pk).update(unreturned_quantity=1)


def test_what_was_never_delivered_is_not_taken_back_and_its_teacher_gets_no_mail():
    reference = sample_offer()
    SAMPLE.undeliverable.add(reference)
    payment = open_order(reference)
    settle_payment(evidence_for(payment))
    refund = Refund.objects.get()
    stripe_says(refund, "succeeded")
    assert SAMPLE.revoked == {}
    assert payment.order.lines.get().state == "undeliverable"
    assert mails(refund) == [("succeeded", "")]


def test_a_cancellation_that_freed_the_place_before_is_not_repeated_by_its_refund():
    payment = paid_order(1000, quantity=2)
    [line] = payment.order.lines.all()
    refund = places(payment, 1)
    assert revoke_units(line=line, quantity=1, reason="Cancelled.") == 1
    stripe_says(refund, "succeeded")
    assert SAMPLE.revoked == {line.pk: (1, "Cancelled.")}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.lists(st.sampled_from(["pending", "succeeded", "failed"]), max_size=4)),
        max_size=5,
    )
)
def test_units_taken_back_never_shrink_and_follow_the_refunds_that_succeeded(history):
    payment = paid_order(1000, quantity=5)
    line, most = payment.order.lines.get(), 0
    for number, words in history:
        line.refresh_from_db()
        if number > line.quantity - line.refunded_quantity:
            continue
        refund = places(payment, number)
        for word in words:
            stripe_says(refund, word)
            succeeded = payment.refunds.filter(status="succeeded").prefetch_related("allocations")
            most = max(most, sum(part.quantity for each in succeeded for part in each.allocations.all()))
            line.refresh_from_db()
            assert line.revoked_quantity == most
            assert SAMPLE.revoked.get(line.pk, (0, ""))[0] == most
            assert (line.state == OrderLine.State.REVOKED) == (most == line.quantity)


def test_student_and_teacher_get_one_mail_for_each_status():
    payment = paid_order(2500, 1500)
    refund = refunded(payment)
    stripe_says(refund, "pending", pending_reason="charge_pending")
    stripe_says(refund, "requires_action")
    stripe_says(refund, "pending")
    stripe_says(refund, "succeeded")
    stripe_says(refund, "succeeded")
    stripe_says(refund, "failed")
    teachers = len({line.teacher_id for line in payment.order.lines.all()})
    assert mails(refund) == [
        ("pending", ""),
        ("requires_action", ""),
        ("succeeded", ""),
        *[("succeeded", ":teacher")] * teachers,
        ("failed", ""),
        *[("failed", ":teacher")] * teachers,
    ]


def test_the_mails_name_amounts_lines_and_what_happens_next():
    payment = paid_order(1000, quantity=3)
    title = payment.order.lines.get().title
    refund = places(payment, 2)
    stripe_says(refund, "pending", pending_reason="charge_pending")
    assert "Your payment itself has not arrived yet." in mail(refund, "pending")
    stripe_says(refund, "succeeded")
    text = mail(refund, "succeeded")
    assert f"3 × {title}: £20.00 (2 samples given back)" in text
    assert "up to ten days" in text
    teacher = mail(refund, "succeeded", to="teacher")
    assert f"3 × {title}: £20.00, of which £18.00 was your share (2 samples given back)" in teacher
    stripe_says(refund, "failed", failure_reason="lost_or_stolen_card")
    assert "did not go through" in mail(refund, "failed")
    assert "£18.00 counts as your share again" in mail(refund, "failed", to="teacher")
    for each in Mail.objects.filter(key__startswith=f"refund:{refund.pk}:"):
        assert "lost_or_stolen_card" not in render(each).text
        assert render(each).html


def test_a_refund_that_fails_at_once_is_not_mailed_to_the_teacher():
    refund = refunded(paid_order(2500))
    stripe_says(refund, "failed")
    assert mails(refund) == [("failed", "")]
