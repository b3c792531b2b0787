"""What people's own programs hear of a school's day: each what they may see, once, in the form that the document states."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from jsonschema import Draft202012Validator

from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.handler import LessonHandler
from bookings.proposals import accept_request, withdraw_proposal
from bookings.tests import factories as lessons
from courses.handler import CourseHandler
from courses.tests import factories as courses
from money import Money
from payments import registry
from payments.disputes.recording import record_dispute
from payments.models import Payment
from payments.orders import cancel_order
from payments.payouts.rules import Happening
from payments.payouts.steps import lock_payout, move_on
from payments.refunds.recording import record_refund
from payments.settlement import settle_payment
from payments.stripe_objects import read_refund
from payments.tests.disputing import moved, said
from payments.tests.factories import evidence_for, open_order, refund_object, refunded, sample_offer
from payments.tests.payout_factories import approved
from payments.tests.sample_domain import SAMPLE
from webhooks.api.document import schema_of
from webhooks.endpoints import event_types_for
from webhooks.event_types import event_type_of
from webhooks.messages import payload_of
from webhooks.models import Delivery
from webhooks.tests.factories import endpoint_at
from workshops.handler import WorkshopHandler
from workshops.tests.factories import make_line, make_workshop

pytestmark = pytest.mark.django_db


class Listeners:
    """Endpoints of people that are sent all there is for them, and what each has heard."""

    def __init__(self):
        staff = UserFactory(is_staff=True, is_superuser=True)
        everything = [each.name for each in event_types_for(staff, sees_everything=True)]
        self.endpoints = {"staff": endpoint_at(user=staff, sees_everything=True, event_types=everything)}

    def add(self, name, user):
        self.endpoints[name] = endpoint_at(user=user, event_types=[each.name for each in event_types_for(user)])
        return user

    def heard(self, name):
        """Type and data of each message, which is as its schema says."""
        rows = Delivery.objects.filter(endpoint=self.endpoints[name]).select_related("event").order_by("pk")
        payloads = [payload_of(row.event) for row in rows]
        for payload in payloads:
            Draft202012Validator(schema_of(event_type_of(payload["type"]))).validate(json.loads(json.dumps(payload)))
        return [(payload["type"], payload["data"]) for payload in payloads]

    def types(self, name):
        return [kind for kind, _ in self.heard(name)]


@pytest.fixture
def listeners(db):
    return Listeners()


def test_an_order_of_two_teachers_is_heard_by_each_as_far_as_it_is_theirs(listeners, sample_domain):
    student = listeners.add("student", UserFactory())
    ada, ben = TeacherFactory(), TeacherFactory()
    for name, teacher in (("ada", ada), ("ben", ben), ("stranger", TeacherFactory())):
        listeners.add(name, teacher.user)
    of_ada = sample_offer(Money(2500, "GBP"), teacher=ada)
    of_ben = sample_offer(Money(1500, "GBP"), teacher=ben)
    payment = open_order(of_ada, of_ben, user=student)
    for _ in range(2):
        settle_payment(evidence_for(payment))
    assert listeners.types("stranger") == []
    [(kind, of_student)], [(_, of_staff)] = listeners.heard("student"), listeners.heard("staff")
    assert kind == "order.paid"
    assert of_student == of_staff
    assert (of_student["amount"], of_student["currency"], len(of_student["lines"])) == ("40.00", "GBP", 2)
    [(_, hers)], [(_, his)] = listeners.heard("ada"), listeners.heard("ben")
    assert [(line["reference"], line["amount"], line["state"]) for line in hers["lines"]] == [
        (of_ada, "25.00", "fulfilled")
    ]
    assert (hers["amount"], his["amount"]) == ("25.00", "15.00")


@pytest.fixture
def sample_domain(monkeypatch):
    monkeypatch.setitem(registry._handlers, SAMPLE.domain, SAMPLE)
    SAMPLE.clear()
    return SAMPLE


def test_a_currency_without_decimals_is_written_so(listeners, sample_domain):
    student = listeners.add("student", UserFactory())
    settle_payment(evidence_for(open_order(sample_offer(Money(1200, "JPY")), user=student)))
    assert listeners.heard("student")[0][1]["amount"] == "1200"


def test_settlement_makes_two_statements_more_at_most_however_many_lines_and_endpoints(sample_domain):
    def queries(*, lines, endpoints):
        student = UserFactory()
        for number in range(endpoints):
            endpoint_at(f"https://school.example/{number}", user=student, event_types=["order.paid"])
        evidence = evidence_for(open_order(*[sample_offer() for _ in range(lines)], user=student))
        with CaptureQueriesContext(connection) as captured:
            settle_payment(evidence)
        return [query["sql"] for query in captured if "webhooks_" in query["sql"]]

    assert len(queries(lines=1, endpoints=0)) == 1
    assert len(queries(lines=6, endpoints=5)) == 1
    assert Delivery.objects.count() == 5


def test_a_cancelled_order_is_heard_by_its_student_only(listeners, sample_domain):
    student, teacher = listeners.add("student", UserFactory()), TeacherFactory()
    listeners.add("teacher", teacher.user)
    payment = open_order(sample_offer(teacher=teacher), user=student)
    for _ in range(2):
        cancel_order(order_id=payment.order_id, reason="x", payment_status=Payment.Status.EXPIRED)
    assert listeners.types("student") == listeners.types("staff") == ["order.cancelled"]
    assert listeners.types("teacher") == []


def test_a_refund_is_heard_by_student_and_teacher(listeners, sample_domain):
    student, teacher = listeners.add("student", UserFactory()), TeacherFactory()
    listeners.add("teacher", teacher.user)
    payment = open_order(sample_offer(Money(2500, "GBP"), teacher=teacher), sample_offer(), user=student)
    settle_payment(evidence_for(payment))
    refund = refunded(payment)
    assert listeners.types("student") == ["order.paid"]
    reported = read_refund(refund_object(refund, status="succeeded"))
    for _ in range(2):
        record_refund(reported)
    (kind, whole), (_, theirs) = listeners.heard("student")[1], listeners.heard("teacher")[1]
    assert (kind, whole["refund"], whole["amount"], len(whole["lines"])) == ("refund.succeeded", refund.pk, "50.00", 2)
    assert (theirs["amount"], len(theirs["lines"])) == ("25.00", 1)
    assert len(listeners.heard("staff")) == len(listeners.heard("student")) == 2


def test_a_payout_that_is_paid_or_fails_is_heard_by_the_teacher(listeners):
    for happening, kind in ((Happening.CONFIRM, "payout.paid"), (Happening.REFUSE, "payout.failed")):
        payout = approved()
        listeners.add(kind, payout.teacher.user)
        move_on(lock_payout(payout.pk), Happening.SEND)
        move_on(lock_payout(payout.pk), happening)
        [(heard, data)] = listeners.heard(kind)
        assert heard == kind
        assert data == {"payout": str(payout.reference), "currency": payout.currency, "amount": "90.00"}


def test_a_dispute_is_heard_by_the_teacher_whose_line_it_takes(listeners, sample_domain):
    student, teacher = listeners.add("student", UserFactory()), TeacherFactory()
    listeners.add("teacher", teacher.user)
    payment = open_order(sample_offer(Money(2500, "GBP"), teacher=teacher), user=student)
    settle_payment(evidence_for(payment))
    payment.refresh_from_db()
    taken = moved(-2500)
    for _ in range(2):
        record_dispute(said(payment, movements=[taken]))
    record_dispute(said(payment, "lost", movements=[taken]))
    assert listeners.types("student") == ["order.paid"]
    _, (opened, first), (closed, last) = listeners.heard("teacher")
    assert (opened, closed) == ("dispute.opened", "dispute.closed")
    assert (first["amount"], last["amount"], last["status"]) == ("25.00", "25.00", "lost")
    assert listeners.types("staff") == ["order.paid", "dispute.opened", "dispute.closed"]


def test_a_lesson_is_heard_from_the_request_to_its_end(listeners):
    student, teacher = listeners.add("student", UserFactory()), TeacherFactory()
    listeners.add("teacher", teacher.user)
    request = lessons.open_request(student=student, teacher=teacher)
    first, second = accept_request(
        request_id=request.pk,
        teacher=teacher,
        proposal=lessons.proposal(lessons.slot(days=10), lessons.slot(days=11)),
    )
    line = lessons.sold_line(first)
    handler = LessonHandler()
    for _ in range(2):
        handler.fulfil(line)
    handler.revoke(line, 1, "Refunded.")
    withdraw_proposal(lesson_id=second.pk, teacher=teacher)
    heard = listeners.heard("student")
    assert [kind for kind, _ in heard] == [
        "lesson.requested", "lesson.accepted", "lesson.confirmed", "lesson.cancelled", "lesson.cancelled",
    ]  # fmt: skip
    assert listeners.heard("teacher") == heard == listeners.heard("staff")
    assert [data["was_confirmed"] for _, data in heard[3:]] == [True, False]
    assert [row["lesson"] for row in heard[1][1]["lessons"]] == [first.pk, second.pk]


def test_a_request_to_any_teacher_is_heard_by_the_one_who_is_asked(listeners):
    taught = lessons.subject()
    teacher = lessons.teacher_of(taught)
    listeners.add("teacher", teacher.user)
    student = listeners.add("student", UserFactory())
    request = lessons.open_request(student=student, is_to_any=True, subject=taught)
    assert request.teacher == teacher
    assert listeners.types("student") == ["lesson.requested"]
    [(_, data)] = listeners.heard("teacher")
    assert data["is_to_any_teacher"] is True


def test_places_and_courses_are_heard(listeners):
    student, teacher = listeners.add("student", UserFactory()), TeacherFactory()
    listeners.add("teacher", teacher.user)
    line = make_line(make_workshop(teacher=teacher), buyer=student, quantity=3)
    workshops = WorkshopHandler()
    for _ in range(2):
        workshops.fulfil(line)
    workshops.revoke(line, 1, "Refunded.")
    workshops.revoke(line, 3, "Refunded.")
    course = courses.published_course(teacher=teacher)
    sold = courses.sold_line(course, student)
    for _ in range(2):
        CourseHandler().fulfil(sold)
    heard = listeners.heard("student")
    assert [(kind, len(data.get("registrations", ()))) for kind, data in heard] == [
        ("registration.created", 3), ("registration.cancelled", 1), ("registration.cancelled", 2),
        ("enrolment.created", 0),
    ]  # fmt: skip
    assert heard[3][1]["course"] == course.pk
    assert listeners.heard("staff") == heard
