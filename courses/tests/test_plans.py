"""Courses that plans open: who gets in, what is counted, and what a student reads when access has ended."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalogue.models import Listing
from courses import authoring
from courses.handler import CourseHandler
from courses.models import Course, CourseLesson, Enrolment
from courses.publishing import close_course, publish_course, withdraw_course
from courses.tests.factories import draft_course, enrolled_student, enrolment_of, published_course, sold_line, soon
from jobs.invariants import broken, installed_invariants
from subscriptions.closing import end_what_is_over
from subscriptions.models import AccessUse, Plan, Subscription
from subscriptions.tests.factories import make_plan, make_price, make_subscription
from subscriptions.tests.paid import earned_by, later, paid_period, refund_period

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def all_invariants_hold(db):
    yield
    assert broken(installed_invariants()) == {}


def included_course(**fields):
    return published_course(is_in_plans=True, **fields)


@pytest.fixture
def course():
    return included_course(lessons=3)


@pytest.fixture
def subscription():
    """In its month, at £29.00 for courses."""
    price = make_price(make_plan(name="All courses", grants_courses=True))
    return paid_period(make_subscription(price)).subscription


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def learn(course):
    return reverse("courses:learn", args=[course.slug])


def lesson_page(course, number=0, name="lesson"):
    lesson = CourseLesson.objects.filter(module__course=course).order_by("pk")[number]
    return reverse(f"courses:{name}", args=[course.slug, lesson.pk])


def test_a_subscriber_opens_a_course_without_buying_it(course, subscription):
    client = signed_in(subscription.user)
    assert "Included in your plan All courses" in client.get(course.get_absolute_url()).content.decode()
    page = client.get(learn(course))
    assert page.status_code == 200
    assert "All courses" in page.content.decode()
    assert client.get(lesson_page(course)).status_code == 200
    client.post(lesson_page(course, name="lesson_done"))
    assert "1 of 3 lessons done" in client.get(learn(course)).content.decode()
    assert "With your plan" in client.get(reverse("courses:mine")).content.decode()
    row = enrolment_of(course, subscription.user)
    assert (row.state, row.order_line_id, len(row.done_lesson_ids)) == ("released", None, 1)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: Course.objects.update(is_in_plans=False),
        lambda: withdraw_course(course_id=Course.objects.get().pk),
        lambda: type(Course.objects.get().teacher).objects.update(status="suspended"),
        lambda: Plan.objects.update(grants_courses=False),
        lambda: Subscription.objects.update(status="ended", ended_at=timezone.now(), end_reason="cancelled"),
        lambda: Subscription.objects.update(
            status="past_due", past_due_since=timezone.now(), grace_until=timezone.now() - timedelta(seconds=1)
        ),
    ],
)
def test_what_no_plan_opens_is_a_404(course, subscription, spoil):
    spoil()
    client = signed_in(subscription.user)
    assert client.get(learn(course)).status_code == 404
    assert client.get(lesson_page(course)).status_code == 404
    assert client.post(lesson_page(course, name="lesson_done")).status_code == 404
    assert not Enrolment.objects.exists()
    assert not AccessUse.objects.exists()


def test_a_course_is_in_no_plan_unless_its_teacher_says_so(subscription):
    assert signed_in(subscription.user).get(learn(published_course())).status_code == 404


def test_a_draft_is_never_opened_by_a_plan(subscription):
    course = draft_course(is_in_plans=True)
    assert signed_in(subscription.user).get(learn(course)).status_code == 404


def test_the_time_left_to_pay_still_opens_it(course, subscription):
    now = timezone.now()
    Subscription.objects.update(status="past_due", past_due_since=now, grace_until=now + timedelta(days=3))
    assert signed_in(subscription.user).get(learn(course)).status_code == 200
    with later(days=4):
        assert signed_in(subscription.user).get(learn(course)).status_code == 403


def test_a_refund_ends_access_unless_another_period_covers_the_time(course, subscription):
    client = signed_in(subscription.user)
    client.get(learn(course))
    first = subscription.periods.get()
    second = paid_period(subscription, kind="change", amount_minor=900)
    refund_period(first)
    assert client.get(learn(course)).status_code == 200
    refund_period(second)
    assert client.get(learn(course)).status_code == 403


def test_when_access_ends_the_course_says_so_and_keeps_the_progress(course, subscription):
    client = signed_in(subscription.user)
    client.post(lesson_page(course, name="lesson_done"))
    Subscription.objects.update(status="ended", ended_at=timezone.now(), end_reason="cancelled")
    page = client.get(learn(course))
    assert page.status_code == 403
    text = page.content.decode()
    assert "Your plan no longer opens this course" in text
    assert "1 of 3 lessons done" in text
    assert reverse("subscriptions:plans") in text
    assert "Buy it for £49.00" in text
    assert client.get(lesson_page(course)).status_code == 403
    assert "Your plan no longer opens it" in client.get(reverse("courses:mine")).content.decode()
    # Subscribed again, they go on where they stopped.
    make_subscription(subscription.price, user=subscription.user)
    assert "1 of 3 lessons done" in client.get(learn(course)).content.decode()


def test_a_teacher_who_takes_the_course_out_of_plans_leaves_it_to_be_bought(course, subscription):
    client = signed_in(subscription.user)
    client.get(learn(course))
    authoring.change_course(
        course=course, prices=[price.amount for price in course.prices.all()], changes={"is_in_plans": False}
    )
    text = client.get(learn(course)).content.decode()
    assert "no longer includes it in plans" in text
    assert reverse("subscriptions:plans") not in text.partition("<main")[2].partition("</main")[0]
    assert "Buy it for" in text


def test_a_closed_course_is_gone_for_subscribers(course, subscription):
    client = signed_in(subscription.user)
    client.get(learn(course))
    close_course(course_id=course.pk, reason="Ill", requested_by_id=course.teacher.user_id)
    assert client.get(learn(course)).status_code == 404
    assert course.title not in client.get(reverse("courses:mine")).content.decode()


def test_a_course_begun_with_a_plan_and_bought_stays_when_the_plan_ends(course, subscription):
    student, selling = subscription.user, CourseHandler()
    client = signed_in(student)
    client.post(lesson_page(course, name="lesson_done"))
    line = sold_line(course, student)
    selling.reserve(line, soon())
    selling.fulfil(line)
    Subscription.objects.update(status="ended", ended_at=timezone.now(), end_reason="cancelled")
    assert "1 of 3 lessons done" in client.get(learn(course)).content.decode()
    # Refunded, it is closed again, and the plan opens it again.
    selling.revoke(line, 1, "refunded")
    assert client.get(learn(course)).status_code == 403
    make_subscription(subscription.price, user=student)
    assert client.get(learn(course)).status_code == 200


# --- What is counted


def test_lessons_opened_and_finished_with_the_plan_are_counted_once(course, subscription):
    client = signed_in(subscription.user)
    for _ in range(2):
        client.get(lesson_page(course))
        client.get(lesson_page(course, 1))
        client.post(lesson_page(course, name="lesson_done"))
    assert AccessUse.objects.count() == 2
    assert AccessUse.objects.filter(finished_at__isnull=False).count() == 1
    with later(days=16):
        end_what_is_over()
    assert earned_by(course.teacher) == 2610
    (share,) = course.teacher.access_shares.all()
    assert share.points == 3


def test_what_is_bought_or_ones_own_is_not_counted(course, subscription):
    student = enrolled_student(course)
    paid_period(make_subscription(subscription.price, user=student))
    signed_in(student).get(lesson_page(course))
    paid_period(make_subscription(subscription.price, user=course.teacher.user))
    own = signed_in(course.teacher.user)
    assert own.get(lesson_page(course)).status_code == 200
    own.post(lesson_page(course, name="lesson_done"))
    assert not AccessUse.objects.exists()


def test_opening_a_lesson_takes_as_many_queries_the_hundredth_time_as_the_second(course, subscription):
    client = signed_in(subscription.user)
    client.get(lesson_page(course))
    counts = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            client.get(lesson_page(course))
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert counts[0] <= 16


# --- What pages say


def test_the_sales_page_and_cards_name_the_plans_that_open_it(course, subscription):
    make_plan(name="Only credits")
    make_plan(name="Past", grants_courses=True, is_on_sale=False)
    page = Client().get(course.get_absolute_url()).content.decode()
    assert "Included in" in page
    assert "All courses" in page
    assert "Only credits" not in page
    assert "Past" not in page
    cards = Client().get(reverse("catalogue:browse")).content.decode()
    assert "Included in All courses" in cards
    Plan.objects.update(is_on_sale=False)
    assert "Included in" not in Client().get(reverse("catalogue:browse")).content.decode()


def test_a_teacher_includes_a_course_with_the_form_and_its_card_says_so(subscription):
    course = published_course()
    assert not Listing.objects.get().is_in_plans
    client, page = signed_in(course.teacher.user), reverse("courses:course_edit", args=[course.pk])
    assert "Include this course in plans" in client.get(page).content.decode()
    form = {"title": course.title, "summary": course.summary, "language": "en", "price_gbp": "49.00"}
    client.post(page, {**form, "is_in_plans": "on"})
    course.refresh_from_db()
    assert course.is_in_plans
    assert Listing.objects.get().is_in_plans
    client.post(page, form)
    assert not Listing.objects.get().is_in_plans


def test_the_api_lists_what_a_plan_opens_and_counts_what_is_done(course, subscription):
    client = signed_in(subscription.user)
    assert client.get("/api/v1/enrolments").json()["results"] == []
    client.get(learn(course))
    (found,) = client.get("/api/v1/enrolments").json()["results"]
    assert (found["access"], found["done_count"]) == ("plan", 0)
    lesson = found["lessons"][0]["id"]
    done = client.post(
        f"/api/v1/enrolments/{found['id']}/lessons/{lesson}/done", headers={"Idempotency-Key": "a-key-of-mine-3"}
    )
    assert done.json()["done_count"] == 1
    assert AccessUse.objects.get().finished_at is not None
    Subscription.objects.update(status="ended", ended_at=timezone.now(), end_reason="cancelled")
    assert client.get("/api/v1/enrolments").json()["results"] == []
    assert client.get(f"/api/v1/enrolments/{found['id']}").status_code == 404


def test_a_student_who_begins_in_two_tabs_has_one_row(course, subscription):
    client = signed_in(UserFactory())
    assert client.get(learn(course)).status_code == 404
    begun = signed_in(subscription.user)
    begun.get(learn(course))
    begun.get(learn(course))
    assert Enrolment.objects.count() == 1
    publish_course(course_id=course.pk)
