"""Teachers answer requests and take lessons back over the API, by the same rules as on their desk."""

import uuid

import pytest

from accounts.applications import suspend_teacher
from accounts.tests.factories import UserFactory
from bookings.models import Lesson, LessonRequest
from bookings.tests import factories as lessons
from integrations.tests.factories import program_of
from payments.cart import add_to_cart
from payments.contracts import Item
from payments.models import Refund
from payments.settlement import settle_payment
from payments.tests.factories import evidence_for, open_order

pytestmark = pytest.mark.django_db
DESK = "/api/v1/teaching/lesson-requests"


def send(client, address, body=None):
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    return client.post(address, body or {}, content_type="application/json", headers=headers)


def kind_of(answer):
    return answer.status_code, answer.json()["type"].removeprefix("urn:lectern:problem:")


def offer_of(*slots, **changes):
    times = [{"starts_at": one.starts_at.isoformat(), "ends_at": one.ends_at.isoformat()} for one in slots]
    return {"slots": times, "currency": "GBP", "amount": "40.00", **changes}


@pytest.fixture
def asked():
    return lessons.open_request()


@pytest.fixture
def program(asked):
    return program_of(asked.teacher.user)


def test_a_request_is_read_and_accepted(asked, program):
    (listed,) = program.get(DESK).json()["results"]
    assert (listed["id"], listed["state"], listed["student"]) == (asked.pk, "open", asked.student.display_name)
    assert program.get(DESK, {"state": "declined"}).json()["results"] == []
    answer = send(program, f"{DESK}/{asked.pk}/accept", offer_of(lessons.slot(days=3), lessons.slot(days=4), note="Hi"))
    assert answer.status_code == 200, answer.content
    assert (answer.json()["state"], answer.json()["teacher_note"]) == ("accepted", "Hi")
    assert [one["amount"] for one in answer.json()["lessons"]] == ["40.00", "40.00"]
    assert Lesson.objects.filter(request=asked, state="proposed").count() == 2
    again = send(program, f"{DESK}/{asked.pk}/accept", offer_of(lessons.slot(days=5)))
    assert kind_of(again) == (409, "request-closed")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"slots": []}, 400),
        ({"slots": [{"starts_at": "2999-01-01T10:00:00Z", "ends_at": "2999-01-01T10:01:00Z"}]}, 400),
        ({"slots": [{"starts_at": "2999-01-01T10:00:00Z", "ends_at": "2999-01-01T11:00:00Z"}]}, 409),
        ({"slots": [{"starts_at": "2001-01-01T10:00:00Z", "ends_at": "2001-01-01T11:00:00Z"}]}, 409),
        ({"amount": "40.001"}, 400),
        ({"amount": "0.01"}, 409),
        ({"currency": "XXX"}, 400),
        ({"is_online": False}, 400),
        ({"meeting_url": "javascript:alert(1)"}, 400),
    ],
)
def test_what_cannot_be_proposed_changes_nothing(asked, program, changes, status):
    answer = send(program, f"{DESK}/{asked.pk}/accept", offer_of(lessons.slot(), **changes))
    assert answer.status_code == status, answer.content
    asked.refresh_from_db()
    assert asked.is_open
    assert not Lesson.objects.exists()


def test_overlapping_times_are_asked_about(asked, program):
    lessons.proposed_lesson(teacher=asked.teacher, when=lessons.slot(days=3))
    body = offer_of(lessons.slot(days=3))
    assert kind_of(send(program, f"{DESK}/{asked.pk}/accept", body)) == (409, "overlapping")
    answer = send(program, f"{DESK}/{asked.pk}/accept", {**body, "propose_anyway": True})
    assert answer.status_code == 200, answer.content


def test_a_request_is_declined_with_a_note_to_the_student(asked, program):
    answer = send(program, f"{DESK}/{asked.pk}/decline", {"note": "I am full."})
    assert answer.json() == {"id": asked.pk, "is_passed_on": False}
    asked.refresh_from_db()
    assert (asked.state, asked.teacher_note) == (LessonRequest.State.DECLINED, "I am full.")


def test_a_request_to_any_teacher_is_passed_on():
    taught = lessons.subject()
    lessons.teacher_of(taught)
    request = lessons.open_request(is_to_any=True, subject=taught)
    answer = send(program_of(request.teacher.user), f"{DESK}/{request.pk}/decline", {})
    assert answer.json() == {"id": request.pk, "is_passed_on": True}


def test_a_proposal_is_withdrawn(asked, program):
    lesson = lessons.proposed_lesson(teacher=asked.teacher)
    assert send(program, f"/api/v1/lessons/{lesson.pk}/withdraw").json()["state"] == "cancelled"
    assert kind_of(send(program, f"/api/v1/lessons/{lesson.pk}/withdraw")) == (409, "proposal-refused")
    # It takes a lesson, but does not give it.
    assert send(program_of(lesson.student), f"/api/v1/lessons/{lesson.pk}/withdraw").status_code == 404


def test_a_paid_lesson_is_cancelled_and_refunded(asked, program):
    lesson = lessons.proposed_lesson(teacher=asked.teacher)
    address = f"/api/v1/lessons/{lesson.pk}/cancel"
    assert kind_of(send(program, address, {"reason": "I am ill."})) == (409, "cannot-cancel")
    item = Item(domain="private_teaching", reference=str(lesson.pk), quantity=1)
    add_to_cart(item, buyer_id=lesson.student_id, cart=None, currency="GBP")
    settle_payment(evidence_for(open_order(cart=lesson.student.cart)))
    assert kind_of(send(program, address, {})) == (400, "invalid")
    assert send(program, address, {"reason": "I am ill."}).json()["state"] == "cancelled"
    assert Refund.objects.get().amount == lesson.price
    assert kind_of(send(program, address, {"reason": "I am ill."})) == (409, "cannot-cancel")


def test_suspended_teachers_answer_no_requests(asked, program):
    suspend_teacher(teacher=asked.teacher, by=UserFactory(is_staff=True), note="x")
    assert program.get(DESK).status_code == 200
    assert kind_of(send(program, f"{DESK}/{asked.pk}/decline")) == (403, "forbidden")
