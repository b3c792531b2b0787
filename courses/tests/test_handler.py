"""The courses' handler, as the contract with payments requires."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Teacher
from accounts.tests.factories import TeacherFactory, UserFactory
from courses.handler import CourseHandler
from courses.models import Course, Enrolment
from courses.publishing import withdraw_course
from courses.tests.factories import draft_course, enrolled_student, enrolment_of, published_course, sold_line, soon
from money import Money
from notifications.models import Mail
from payments.contracts import CannotDeliver, Item, NotForSale, SoldOut
from payments.registry import handler_for

pytestmark = pytest.mark.django_db
selling = CourseHandler()


def quote(course, buyer=None):
    return selling.quote([Item(domain="courses", reference=str(course.pk))], buyer.pk if buyer else None)[0]


def bought(course, student):
    line = sold_line(course, student)
    selling.reserve(line, soon())
    selling.fulfil(line)
    return line


def test_the_handler_is_registered_under_its_domain():
    assert handler_for("courses").label == "Course"


def test_a_quote_states_every_price_and_the_policy_to_freeze():
    course = published_course(prices=[Money(4_900, "GBP"), Money(9_000, "JPY")], lessons=2)
    offer = quote(course, UserFactory())
    assert offer.unit_prices == {"GBP": Money(4_900, "GBP"), "JPY": Money(9_000, "JPY")}
    assert (offer.quantity_limit, offer.teacher_id, offer.title) == (1, course.teacher_id, "Reading music")
    assert offer.policy == {"full_refund_days": 14}
    assert offer.description == "2 lessons, at your own pace"
    assert offer.url == f"/courses/{course.slug}/"


def test_items_not_for_sale_are_answered_in_order_and_do_not_affect_others():
    buyer = UserFactory()
    published, draft, withdrawn = published_course(), draft_course(), published_course()
    withdraw_course(course_id=withdrawn.pk)
    suspended = published_course(teacher=TeacherFactory())
    Teacher.objects.filter(pk=suspended.teacher_id).update(status=Teacher.Status.SUSPENDED)
    own, owned = published_course(teacher=TeacherFactory(user=buyer)), published_course()
    bought(owned, buyer)
    references = [c.pk for c in (draft, withdrawn, suspended, own, owned)]
    hostile = ["", "0", "-1", "abc", "\x00", "9" * 40, "٣", "1.5", "1 or 1=1"]
    items = [Item(domain="courses", reference=str(reference)) for reference in [*references, *hostile, published.pk]]
    answers = selling.quote(items, buyer.pk)
    assert [type(answer) for answer in answers[:-1]] == [NotForSale] * (len(items) - 1)
    assert "own course" in str(answers[3])
    assert str(answers[4]) == "You already have this course."
    assert str(answers[0]) == str(answers[5])  # a draft counts as not existing
    assert answers[-1].title == published.title


@pytest.mark.parametrize("many", [1, 10, 100])
def test_quoting_takes_the_same_number_of_queries_for_any_number_of_courses(many):
    teacher, buyer = TeacherFactory(), UserFactory()
    items = [
        Item(domain="courses", reference=str(published_course(teacher=teacher, title=f"Course {n}").pk))
        for n in range(many)
    ]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(selling.quote(items, buyer.pk)) == many
    assert len(queries) == 3


def test_a_paid_course_is_active_and_student_and_teacher_get_a_mail():
    course, student = published_course(), UserFactory()
    line = bought(course, student)
    enrolment = enrolment_of(course, student)
    assert (enrolment.state, enrolment.order_line_id) == (Enrolment.State.ACTIVE, line.id)
    assert set(Mail.objects.values_list("to", "template")) == {
        (student.email, "courses/mail/enrolled"),
        (course.teacher.user.email, "courses/mail/enrolled_teacher"),
    }


def test_delivering_twice_changes_nothing_and_sends_the_mails_once():
    course, student = published_course(), UserFactory()
    line = bought(course, student)
    before = Enrolment.objects.values().get()
    selling.fulfil(line)
    assert Enrolment.objects.values().get() == before
    assert Mail.objects.count() == 2


def test_a_student_who_has_the_course_cannot_hold_it_again():
    course, student = published_course(), UserFactory()
    bought(course, student)
    with pytest.raises(SoldOut, match="already have"):
        selling.reserve(sold_line(course, student), soon())


def test_a_second_order_is_refused_until_the_first_is_released():
    course, student = published_course(), UserFactory()
    first, second = sold_line(course, student), sold_line(course, student)
    selling.reserve(first, soon())
    with pytest.raises(SoldOut, match="another order"):
        selling.reserve(second, soon())
    selling.release(first)
    selling.reserve(second, soon())
    assert enrolment_of(course, student).order_line_id == second.id


def test_a_line_can_extend_its_hold_even_after_the_course_was_withdrawn():
    course, student = published_course(), UserFactory()
    line = sold_line(course, student)
    selling.reserve(line, soon())
    withdraw_course(course_id=course.pk)
    later = soon() + timedelta(days=5)
    selling.reserve(line, later)
    assert enrolment_of(course, student).held_until == later
    selling.fulfil(line)
    assert enrolment_of(course, student).state == Enrolment.State.ACTIVE


def test_a_lapsed_hold_is_replaced_by_a_new_order():
    course, student = published_course(), UserFactory()
    selling.reserve(sold_line(course, student), timezone.now() - timedelta(seconds=1))
    line = sold_line(course, student)
    selling.reserve(line, soon())
    assert enrolment_of(course, student).order_line_id == line.id


def test_a_withdrawn_or_unknown_course_cannot_be_held():
    course, student = published_course(), UserFactory()
    withdraw_course(course_id=course.pk)
    for line in (sold_line(course, student), sold_line(course, student, reference="x")):
        with pytest.raises(SoldOut):
            selling.reserve(line, soon())


def test_more_than_one_cannot_be_held():
    with pytest.raises(SoldOut):
        selling.reserve(sold_line(published_course(), UserFactory(), quantity=2), soon())


def test_the_second_of_two_paid_orders_cannot_be_delivered():
    course, student = published_course(), UserFactory()
    first, second = sold_line(course, student), sold_line(course, student)
    selling.reserve(first, soon())
    selling.fulfil(second)  # its own hold had lapsed
    with pytest.raises(CannotDeliver):
        selling.fulfil(first)
    assert enrolment_of(course, student).order_line_id == second.id
    selling.revoke(first, first.quantity, "undeliverable")
    selling.release(first)
    assert enrolment_of(course, student).state == Enrolment.State.ACTIVE


def test_a_late_payment_is_delivered_unless_the_course_was_withdrawn():
    course, late, too_late = published_course(), UserFactory(), UserFactory()
    for student in (late, too_late):
        line = sold_line(course, student)
        selling.reserve(line, soon())
        selling.release(line)
        if student is too_late:
            withdraw_course(course_id=course.pk)
            with pytest.raises(CannotDeliver, match="withdrawn"):
                selling.fulfil(line)
        else:
            selling.fulfil(line)
    assert enrolment_of(course, late).state == Enrolment.State.ACTIVE
    assert enrolment_of(course, too_late).state == Enrolment.State.RELEASED


def test_a_line_without_a_course_cannot_be_delivered():
    with pytest.raises(CannotDeliver):
        selling.fulfil(sold_line(published_course(), UserFactory(), reference="999999"))


def test_releasing_again_or_after_delivery_has_no_effect():
    course, student = published_course(), UserFactory()
    line = sold_line(course, student)
    selling.release(line)
    selling.reserve(line, soon())
    selling.release(line)
    selling.release(line)
    assert enrolment_of(course, student).state == Enrolment.State.RELEASED
    selling.fulfil(line)
    selling.release(line)
    assert enrolment_of(course, student).state == Enrolment.State.ACTIVE


def test_a_refunded_course_is_revoked_once_and_can_be_bought_again():
    course, student = published_course(), UserFactory()
    first = bought(course, student)
    selling.revoke(first, first.quantity, "refunded")
    revoked = Enrolment.objects.values().get()
    selling.revoke(first, first.quantity, "refunded")
    assert Enrolment.objects.values().get() == revoked
    assert revoked["state"] == Enrolment.State.REVOKED
    second = bought(course, student)
    enrolment = enrolment_of(course, student)
    assert (enrolment.pk, enrolment.state, enrolment.order_line_id) == (
        revoked["id"],
        Enrolment.State.ACTIVE,
        second.id,
    )
    # Two for each purchase, and one to the teacher about the refund.
    assert Mail.objects.count() == 5


def test_a_refunded_line_is_never_delivered_again():
    course, student = published_course(), UserFactory()
    first = bought(course, student)
    selling.revoke(first, first.quantity, "refunded")
    selling.fulfil(first)
    assert enrolment_of(course, student).state == Enrolment.State.REVOKED
    second = sold_line(course, student)
    selling.reserve(second, soon())
    selling.fulfil(first)
    selling.revoke(first, first.quantity, "again")
    assert (enrolment_of(course, student).state, enrolment_of(course, student).order_line_id) == ("held", second.id)
    selling.release(second)
    assert enrolment_of(course, student).state == Enrolment.State.REVOKED


def test_refunding_one_line_keeps_the_course_delivered_by_another():
    course, student = published_course(), UserFactory()
    old = bought(course, student)
    selling.revoke(old, old.quantity, "refunded")
    bought(course, student)
    selling.revoke(old, old.quantity, "dispute lost")
    assert enrolment_of(course, student).state == Enrolment.State.ACTIVE


def test_the_refund_is_full_within_the_days_of_the_policy_then_zero():
    course, student = published_course(), UserFactory()
    line = bought(course, student)
    activated_at = enrolment_of(course, student).activated_at
    assert selling.refund_offer(line, activated_at + timedelta(days=14)) == line.amount
    assert selling.refund_offer(line, activated_at + timedelta(days=14, seconds=1)) == Money(0, "GBP")
    assert selling.earned_at(line) == activated_at + timedelta(days=14)


def test_the_days_for_a_refund_are_those_frozen_at_purchase():
    course, student = published_course(), UserFactory()
    line = bought(course, student)
    frozen = sold_line(course, student, id=line.id, policy={"full_refund_days": 30})
    at = enrolment_of(course, student).activated_at + timedelta(days=29)
    assert selling.refund_offer(frozen, at) == line.amount


def test_an_undelivered_line_is_fully_refundable_and_a_refunded_one_not_again():
    course, student = published_course(), UserFactory()
    line = sold_line(course, student)
    assert selling.refund_offer(line, timezone.now() + timedelta(days=99)) == line.amount
    selling.reserve(line, soon())
    assert selling.refund_offer(line, timezone.now() + timedelta(days=99)) == line.amount
    selling.fulfil(line)
    selling.revoke(line, line.quantity, "refunded")
    assert selling.refund_offer(line, timezone.now()) == Money(0, "GBP")


def test_the_delivery_link_needs_no_query_and_leads_to_the_course(client, django_assert_num_queries):
    course = published_course()
    student = enrolled_student(course)
    with django_assert_num_queries(0):
        url = selling.delivery_url(sold_line(course, student))
    client.force_login(student)
    assert client.get(url)["Location"] == reverse("courses:learn", args=[course.slug])


def test_a_draft_is_not_on_sale():
    assert not Course.objects.on_sale().filter(pk=draft_course().pk).exists()
