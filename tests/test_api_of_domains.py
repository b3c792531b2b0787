"""The API of catalogue, lessons, workshops and courses: what the pages show, to the people they show it to."""

import uuid

import jsonschema
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator

from accounts.applications import suspend_teacher
from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.models import LessonRequest
from bookings.tests import factories as lessons
from catalogue.models import Subject
from courses.models import Enrolment
from courses.tests.factories import published_course
from integrations.scopes import Scope
from integrations.tests.factories import program_of
from tests.market import open_market
from workshops.tests.factories import make_workshop

pytestmark = pytest.mark.django_db
MISSING = (404, "urn:lectern:problem:not-found")


@pytest.fixture
def market():
    return open_market()


def is_as_documented(answer, path, method="get"):
    document = SchemaGenerator().get_schema(request=None, public=True)
    content = document["paths"][path][method]["responses"][str(answer.status_code)]["content"]
    schema = content[answer.headers["Content-Type"]]["schema"] | {"components": document["components"]}
    jsonschema.validate(answer.json(), schema)
    return True


def send(client, address, body=None, *, key=None):
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    return client.post(address, body or {}, content_type="application/json", headers=headers)


def kind_of(answer):
    return answer.status_code, answer.json()["type"]


def found(client, address, **query):
    answer = client.get(address, query)
    assert is_as_documented(answer, address)
    return answer.json()["results"]


# --- The catalogue


def test_guests_read_the_catalogue(market):
    guest = Client()
    assert {subject["slug"] for subject in found(guest, "/api/v1/subjects")} == set(
        Subject.objects.values_list("slug", flat=True)
    )
    assert market.teacher.slug in {teacher["slug"] for teacher in found(guest, "/api/v1/teachers")}
    listings = {listing["domain"]: listing for listing in found(guest, "/api/v1/listings")}
    assert set(listings) == {"private_teaching", "workshops", "courses"}
    assert listings["workshops"]["prices"] == [{"currency": "GBP", "amount": "45.00"}]
    one = guest.get(f"/api/v1/listings/workshops/{market.workshop.pk}")
    assert is_as_documented(one, "/api/v1/listings/{domain}/{reference}")
    assert one.json() == listings["workshops"]
    teacher = guest.get(f"/api/v1/teachers/{market.teacher.slug}")
    assert is_as_documented(teacher, "/api/v1/teachers/{slug}")


def test_what_is_listed_can_be_put_into_the_cart(market):
    program = program_of(UserFactory())
    for listing in found(Client(), "/api/v1/listings"):
        if not listing["is_by_request"]:
            item = {"domain": listing["domain"], "reference": listing["reference"]}
            assert send(program, "/api/v1/cart/lines", item).status_code == 200, listing
    assert len(program.get("/api/v1/cart").json()["lines"]) == 2


@pytest.mark.parametrize(
    ("query", "domains"),
    [
        ({"kind": "workshops"}, ["workshops"]),
        ({"kind": "courses", "q": "bread"}, []),
        ({"q": "bread"}, ["workshops"]),
        ({"where": "in-person", "place": "Leeds"}, ["workshops"]),
        ({"currency": "GBP", "min_price": "44", "max_price": "46", "kind": "workshops"}, ["workshops"]),
        ({"currency": "GBP", "max_price": "1"}, []),
    ],
)
def test_filters_are_those_of_the_browse_page(market, query, domains):
    assert [listing["domain"] for listing in found(Client(), "/api/v1/listings", **query)] == domains


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "x"},
        {"min_price": "x"},
        {"from_date": "soon"},
        {"currency": "XXX"},
        {"min_price": "2", "max_price": "1"},
    ],
)
def test_a_filter_that_cannot_be_meant_is_named(market, query):
    answer = Client().get("/api/v1/listings", query)
    assert kind_of(answer) == (400, "urn:lectern:problem:invalid")
    assert answer.json()["errors"]


def test_what_is_not_on_sale_is_not_found(market):
    suspend_teacher(teacher=market.teacher, by=market.staff["admin"], note="x")
    assert found(Client(), "/api/v1/listings") == []
    for address in (f"/api/v1/teachers/{market.teacher.slug}", f"/api/v1/listings/courses/{market.course.pk}"):
        assert kind_of(Client().get(address)) == MISSING


# --- Lessons


def wish(teacher, taught, **changes):
    return {
        "teacher": teacher.slug,
        "subject": taught.slug,
        "level": "beginner",
        "goals": "Play a song",
        "region": "GB",
        "preferred_days": ["mon"],
        **changes,
    }


def test_lessons_are_requested_once_for_each_key():
    taught = lessons.subject()
    teacher = lessons.teacher_of(taught)
    program, key = program_of(UserFactory()), uuid.uuid4().hex
    answers = [send(program, "/api/v1/lesson-requests", wish(teacher, taught), key=key) for _ in range(2)]
    assert answers[0].status_code == 200
    assert is_as_documented(answers[0], "/api/v1/lesson-requests", "post")
    assert answers[0].content == answers[1].content
    made = LessonRequest.objects.get()
    assert (made.teacher, made.preferred_days) == (teacher, ["mon"])
    # A new key is a new request, which the rules refuse.
    again = send(program, "/api/v1/lesson-requests", wish(teacher, taught))
    assert kind_of(again) == (409, "urn:lectern:problem:request-refused")
    assert found(program, "/api/v1/lesson-requests") == [answers[0].json()]
    withdrawn = send(program, f"/api/v1/lesson-requests/{made.pk}/withdraw")
    assert withdrawn.json()["state"] == "withdrawn"
    closed = send(program, f"/api/v1/lesson-requests/{made.pk}/withdraw")
    assert kind_of(closed) == (409, "urn:lectern:problem:request-closed")


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "nothing"},
        {"level": "x"},
        {"region": "XX"},
        {"goals": ""},
        {"preferred_days": ["x"]},
        {"meeting": "x"},
    ],
)
def test_a_wish_that_cannot_be_meant_is_named(changes):
    taught = lessons.subject()
    body = wish(lessons.teacher_of(taught), taught, **changes)
    answer = send(program_of(UserFactory()), "/api/v1/lesson-requests", body)
    assert kind_of(answer) == (400, "urn:lectern:problem:invalid")
    assert {error["parameter"].partition(".")[0] for error in answer.json()["errors"]} == set(changes)
    assert not LessonRequest.objects.exists()


def test_a_request_needs_a_verified_address_as_on_the_page():
    taught = lessons.subject()
    user = UserFactory()
    program = program_of(user)
    user.emailaddress_set.update(verified=False)
    answer = send(program, "/api/v1/lesson-requests", wish(lessons.teacher_of(taught), taught))
    assert kind_of(answer) == (409, "urn:lectern:problem:request-refused")


def test_a_proposed_lesson_is_bought_over_the_api(market):
    program = program_of(market.student, name="Other")
    (proposed,) = [lesson for lesson in found(program, "/api/v1/lessons") if lesson["id"] == market.proposed.pk]
    assert proposed["can_be_bought"]
    assert proposed["meeting_url"] == ""
    item = {"domain": proposed["domain"], "reference": proposed["reference"]}
    assert send(program, "/api/v1/cart/lines", item).status_code == 200


def test_student_and_teacher_see_their_lessons(market):
    student, teacher = program_of(market.student, name="Other"), program_of(market.teacher.user)
    taken = {lesson["id"] for lesson in found(student, "/api/v1/lessons")}
    given = {lesson["id"] for lesson in found(teacher, "/api/v1/lessons", role="teacher")}
    assert taken == given == {market.lesson.pk, market.proposed.pk}
    assert found(teacher, "/api/v1/lessons") == []


# --- Workshops and courses


def test_tickets_and_progress(market):
    program = program_of(market.student, name="Other")
    (ticket,) = found(program, "/api/v1/workshop-registrations")
    assert (ticket["code"], ticket["order"], ticket["state"]) == (market.ticket.code, market.order.number, "confirmed")
    assert program.get(f"/api/v1/workshop-registrations/{ticket['code']}").json() == ticket
    (course,) = found(program, "/api/v1/enrolments")
    assert (course["done_count"], course["lesson_count"], course["is_complete"]) == (0, 2, False)
    for number, lesson in enumerate(course["lessons"], start=1):
        done = send(program, f"/api/v1/enrolments/{course['id']}/lessons/{lesson['id']}/done")
        assert is_as_documented(done, "/api/v1/enrolments/{enrolment_id}/lessons/{lesson_id}/done", "post")
        assert done.json()["done_count"] == number
    assert program.get(f"/api/v1/enrolments/{course['id']}").json()["is_complete"]


def test_a_lesson_of_another_course_is_not_found(market):
    other = published_course(teacher=market.teacher)
    lesson = other.modules.get().lessons.get()
    enrolment = Enrolment.objects.get(student=market.student)
    program = program_of(market.student, name="Other")
    assert kind_of(send(program, f"/api/v1/enrolments/{enrolment.pk}/lessons/{lesson.pk}/done")) == MISSING


# --- Scopes, and the number of queries


def test_each_scope_opens_its_part_alone(market):
    reader = program_of(market.student, Scope.LESSONS_READ, name="Lessons")
    assert reader.get("/api/v1/lessons").status_code == 200
    for address in ("/api/v1/workshop-registrations", "/api/v1/enrolments"):
        assert kind_of(reader.get(address)) == (403, "urn:lectern:problem:insufficient-scope")
    assert send(reader, f"/api/v1/lesson-requests/{market.open_request.pk}/withdraw").status_code == 403


@pytest.mark.parametrize(
    "address",
    ["/api/v1/listings", "/api/v1/teachers", "/api/v1/subjects", "/api/v1/lessons", "/api/v1/lesson-requests"],
)
def test_the_number_of_queries_stays_the_same(market, address):
    program = program_of(market.student, name="Other")

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert program.get(address).status_code == 200
        return len(captured)

    queries()
    before = queries()
    for number in range(4):
        teacher = TeacherFactory()
        Subject.objects.create(name=f"Subject {number}", slug=f"subject-{number}")
        make_workshop(teacher=teacher, title=f"Workshop {number}")
        lessons.proposed_lesson(teacher=teacher, student=market.student, when=lessons.slot(days=20 + number))
    assert queries() == before
