"""The invariants of all apps hold after everything was bought, and each one detects when it is broken."""

import pytest

from bookings.models import Lesson
from courses.models import Course, Enrolment
from jobs.invariants import broken, installed_invariants
from payments.cancellations.sales import cancel_all_sold
from payments.models import LineCancellation, OrderLine
from tests.market import open_market
from workshops.models import Registration, Workshop

pytestmark = pytest.mark.django_db


def cancel_in_name_only():
    line = OrderLine.objects.filter(domain="workshops").get()
    cancel_all_sold(
        domain="workshops",
        reference=line.reference,
        title=line.title,
        teacher_id=line.teacher_id,
        reason="Ill",
        requested_by_id=line.teacher.user_id,
    )
    LineCancellation.objects.update(state="done")


PROMISES_OF_DOMAINS = [
    ("workshops.paid_places_are_registered", lambda: Registration.objects.update(state="released")),
    ("bookings.paid_lessons_are_booked", lambda: Lesson.objects.update(order_line_id=None, state="proposed")),
    ("courses.paid_courses_are_open", lambda: Enrolment.objects.update(order_line_id=None, state="released")),
    ("workshops.cancelled_workshops_are_empty", lambda: Workshop.objects.update(state="cancelled")),
    ("courses.closed_courses_are_empty", lambda: Course.objects.update(state="closed")),
    ("payments.cancelled_lines_are_revoked", cancel_in_name_only),
    ("payments.paid_lines_are_decided", lambda: OrderLine.objects.update(state="reserved")),
    ("payments.undeliverable_lines_are_refunded", lambda: OrderLine.objects.update(state="undeliverable")),
]


def test_all_invariants_hold_after_one_of_everything_was_bought():
    open_market()
    assert broken(installed_invariants()) == {}
    names = [invariant.name for invariant in installed_invariants()]
    assert len(set(names)) == len(names)
    assert {name.partition(".")[0] for name in names} >= {"payments", "bookings", "workshops", "courses", "retreats"}


@pytest.mark.parametrize(("name", "break_it"), PROMISES_OF_DOMAINS)
def test_a_broken_invariant_is_detected(name, break_it):
    open_market()
    break_it()
    assert broken(installed_invariants())[name]
