"""Lessons confirmed with a lesson credit: at once, once, without paying, and what becomes of the credit."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.credits import (
    CreditNotUsable,
    agree_to_credits,
    cancel_for_student,
    cancel_for_teacher,
    confirm_with_credit,
    credit_for,
    earn_credits_of_lessons,
)
from bookings.handler import LessonHandler
from bookings.models import CreditTerms, Lesson
from bookings.tests import factories as make
from jobs.invariants import broken, installed_invariants
from notifications.models import Mail
from payments.contracts import CannotDeliver, SoldOut
from payments.tests.races import at_once, one_waits_for_the_other
from subscriptions.credits import credit_balance
from subscriptions.models import LessonCredit, Subscription
from subscriptions.tests.factories import make_plan, make_price
from subscriptions.tests.paid import (
    earned_by,
    fees,
    later,
    paid_period,
    refund_period,
    subscription_with_credits,
    unearned,
)

pytestmark = pytest.mark.django_db
selling = LessonHandler()


@pytest.fixture(autouse=True)
def all_invariants_hold(db):
    yield
    assert broken(installed_invariants()) == {}


@pytest.fixture
def student():
    """With four credits of £5.00."""
    return paid_period(subscription_with_credits()).subscription.user


@pytest.fixture
def teacher():
    return taking_credits(TeacherFactory())


def taking_credits(teacher, **values):
    agree_to_credits(teacher=teacher, longest_minutes=60, least_values=values or {"GBP": 500})
    return teacher


@pytest.fixture
def lesson(student, teacher):
    return make.proposed_lesson(student=student, teacher=teacher)


def confirm(lesson):
    return confirm_with_credit(lesson_id=lesson.pk, student_id=lesson.student_id)


def cancel(lesson, *, expected=True):
    return cancel_for_student(lesson_id=lesson.pk, student_id=lesson.student_id, is_credit_expected=expected)


def left(student):
    return credit_balance(student.pk).count


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


# --- Confirming


def test_a_credit_confirms_a_lesson_at_once_and_once(lesson, student):
    confirm(lesson)
    confirm(lesson)
    lesson.refresh_from_db()
    assert (lesson.state, lesson.is_by_credit, lesson.order_line_id) == ("confirmed", True, None)
    assert left(student) == 3
    assert unearned() == 2900


def test_both_are_mailed_with_what_the_teacher_will_earn(lesson):
    confirm(lesson)
    to_student, to_teacher = (
        Mail.objects.get(key=f"lesson:{lesson.pk}:confirmed:{role}") for role in ("student", "teacher")
    )
    assert to_teacher.context["credit_share"] == "£4.50"
    assert to_student.context["order_number"] == ""
    for mail in (to_student, to_teacher):
        assert "lesson credit" in mail.text if hasattr(mail, "text") else True


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lesson: CreditTerms.objects.all().delete(),
        lambda lesson: CreditTerms.objects.update(longest_minutes=45),
        lambda lesson: CreditTerms.objects.update(least_values={"GBP": 501}),
        lambda lesson: CreditTerms.objects.update(least_values={"EUR": 1}),
        lambda lesson: LessonCredit.objects.update(usable_until=timezone.now()),
        lambda lesson: Lesson.objects.filter(pk=lesson.pk).update(state="cancelled", cancelled_at=timezone.now()),
        lambda lesson: type(lesson.teacher).objects.update(status="suspended"),
    ],
)
def test_a_credit_that_cannot_be_used_changes_nothing(lesson, spoil):
    spoil(lesson)
    before = Lesson.objects.values().get(pk=lesson.pk)
    with pytest.raises(CreditNotUsable):
        confirm(lesson)
    assert Lesson.objects.values().get(pk=lesson.pk) == before
    assert not LessonCredit.objects.filter(state="taken").exists()


def test_somebody_elses_lesson_is_unknown(lesson):
    with pytest.raises(Lesson.DoesNotExist):
        confirm_with_credit(lesson_id=lesson.pk, student_id=UserFactory().pk)
    stranger = signed_in(UserFactory())
    for name in ("lesson_use_credit", "lesson_cancel_credit"):
        assert stranger.get(reverse(f"bookings:{name}", args=[lesson.pk])).status_code == 404
        assert stranger.post(reverse(f"bookings:{name}", args=[lesson.pk])).status_code == 404


def test_a_slot_that_was_sold_takes_no_credit(lesson, student, teacher):
    rival = make.proposed_lesson(teacher=teacher)
    with transaction.atomic():
        selling.reserve(make.sold_line(rival), make.soon())
    with pytest.raises(CreditNotUsable, match="taken by another student"):
        confirm(lesson)
    assert left(student) == 4


def test_a_lesson_that_is_being_paid_takes_no_credit(lesson, student):
    line = make.sold_line(lesson)
    selling.reserve(line, make.soon())
    with pytest.raises(CreditNotUsable, match="already paying"):
        confirm(lesson)
    assert left(student) == 4
    selling.fulfil(line)
    with pytest.raises(CreditNotUsable, match="already paid"):
        confirm(lesson)
    cleaned = Lesson.objects.filter(pk=lesson.pk)
    cleaned.update(state="cancelled", order_line_id=None)


def test_a_payment_after_the_credit_is_refunded_by_itself(lesson):
    line = make.sold_line(lesson)
    selling.reserve(line, make.soon())
    Lesson.objects.filter(pk=lesson.pk).update(held_until=timezone.now() - timedelta(seconds=1))
    confirm(lesson)
    with pytest.raises(CannotDeliver, match="already paid for"):
        selling.fulfil(line)
    selling.release(line)
    selling.revoke(line, 1, "refunded")
    lesson.refresh_from_db()
    assert lesson.is_confirmed
    with pytest.raises(SoldOut):
        selling.reserve(make.sold_line(lesson), make.soon())


# --- Cancelling and earning


def test_cancelling_in_time_gives_the_credit_back(lesson, student):
    confirm(lesson)
    cancel(lesson)
    with pytest.raises(CreditNotUsable):
        cancel(lesson)
    assert left(student) == 4
    with later(days=14):
        assert earn_credits_of_lessons() == 0


def test_cancelling_late_leaves_the_credit_to_the_teacher(lesson, student, teacher):
    confirm(lesson)
    with later(days=9):
        with pytest.raises(CreditNotUsable, match="too late to get the credit back"):
            cancel(lesson, expected=True)
        cancel(lesson, expected=False)
        assert left(student) == 3
    with later(days=14):
        assert earn_credits_of_lessons() == 1
        assert earn_credits_of_lessons() == 0
    assert earned_by(teacher) == 450
    assert unearned() == 2400


def test_the_teacher_earns_after_the_time_to_contest_and_not_before(lesson, teacher):
    confirm(lesson)
    with later(days=12):
        assert earn_credits_of_lessons() == 0
    with later(days=14):
        assert earn_credits_of_lessons() == 1
    assert (earned_by(teacher), unearned()) == (450, 2400)


def test_a_teacher_who_cancels_gives_the_credit_back_whenever(lesson, student, teacher):
    confirm(lesson)
    with later(days=9, hours=9):
        client = signed_in(teacher.user)
        page = reverse("bookings:lesson_cancel", args=[lesson.pk])
        assert "lesson credit back" in client.get(page).content.decode()
        client.post(page, {"reason": "Ill"})
        assert cancel_for_teacher(lesson_id=lesson.pk, reason="again") is None
        assert left(student) == 4
    lesson.refresh_from_db()
    assert lesson.cancel_reason == "Cancelled by the teacher: Ill"


def test_a_refund_of_the_period_leaves_the_confirmed_lesson_and_its_teacher_alone(lesson, student, teacher):
    confirm(lesson)
    refund_period(LessonCredit.objects.first().period)
    lesson.refresh_from_db()
    assert lesson.is_confirmed
    with later(days=14):
        assert earn_credits_of_lessons() == 1
    assert (earned_by(teacher), unearned(), fees()) == (450, 0, -450)


# --- Pages


def test_a_student_with_credits_is_offered_to_use_one_and_does(lesson, student):
    client = signed_in(student)
    page = client.get(lesson.request.get_absolute_url()).content.decode()
    use = reverse("bookings:lesson_use_credit", args=[lesson.pk])
    assert use in page
    assert "You have 4 lesson credits" in page
    asked = client.get(use).content.decode()
    assert "you pay nothing" in asked
    assert not LessonCredit.objects.filter(state="taken").exists()
    shown = client.post(use, follow=True).content.decode()
    assert "confirmed with a lesson credit" in shown
    assert "1 lesson credit" in shown
    assert "3 lesson credits left" in shown
    again = client.post(use, follow=True)
    assert again.status_code == 200
    assert left(student) == 3


def test_a_student_without_credits_sees_nothing_of_them(teacher):
    lesson = make.proposed_lesson(teacher=teacher)
    page = signed_in(lesson.student).get(lesson.request.get_absolute_url()).content.decode()
    assert "credit" not in page


def test_the_page_to_cancel_says_what_becomes_of_the_credit(lesson, student):
    confirm(lesson)
    client, page = signed_in(student), reverse("bookings:lesson_cancel_credit", args=[lesson.pk])
    assert page in client.get(lesson.get_absolute_url()).content.decode()
    assert "You get your lesson credit back" in client.get(page).content.decode()
    with later(days=9):
        assert "do not get your lesson credit back" in client.get(page).content.decode()
        # The page of before says otherwise: nothing is cancelled.
        assert "too late to get the credit back" in client.post(page, {"credit": "back"}, follow=True).content.decode()
    client.post(page, {"credit": "back"})
    assert left(student) == 4


def test_the_teacher_sees_their_share_on_the_lesson(lesson, teacher):
    confirm(lesson)
    page = signed_in(teacher.user).get(lesson.get_absolute_url()).content.decode()
    assert "£4.50" in page
    assert "lesson credits left" not in page


def test_a_teacher_sees_what_a_credit_is_worth_before_agreeing(db):
    teacher = TeacherFactory(commission_bps=2000)
    make_price(make_plan(name="Gold"), amount_minor=2900, credits=4, credit_value_minor=500)
    make_price(make_plan(name="Small"), amount_minor=1900, credits=4, credit_value_minor=450)
    make_price(make_plan(name="Past", is_on_sale=False), amount_minor=900, credits=4, credit_value_minor=100)
    client, page = signed_in(teacher.user), reverse("bookings:credit_terms")
    shown = client.get(page)
    assert "£4.00" in shown.content.decode()
    assert "£3.60" in shown.content.decode()
    assert "Past" not in shown.content.decode()
    digest = shown.context["offered"].digest
    assert client.post(page, {"longest_minutes": "90", "shown": digest}).status_code == 302
    assert teacher.credit_terms.least_values == {"GBP": 450}
    assert teacher.credit_terms.longest_minutes == 90
    make_price(make_plan(name="Tiny"), amount_minor=1900, credits=4, credit_value_minor=10)
    assert "Plans have changed since" in client.get(page).content.decode()
    # What was shown before is not agreed to any more.
    assert client.post(page, {"longest_minutes": "90", "shown": digest}).status_code == 400
    client.post(page, {"stop": "1"})
    assert not CreditTerms.objects.exists()


def test_the_lesson_says_over_the_api_whether_a_credit_can_be_used(lesson, student, teacher):
    client = signed_in(student)
    found = client.get(f"/api/v1/lessons/{lesson.pk}").json()
    assert (found["can_use_credit"], found["is_by_credit"]) == (True, False)
    assert client.get("/api/v1/lessons").json()["results"][0]["can_use_credit"]
    assert client.get(f"/api/v1/lesson-requests/{lesson.request_id}").json()["lessons"][0]["can_use_credit"]
    by_teacher = signed_in(teacher.user).get(f"/api/v1/lessons/{lesson.pk}").json()
    assert not by_teacher["can_use_credit"]
    used = client.post(f"/api/v1/lessons/{lesson.pk}/use-credit", headers={"Idempotency-Key": "a-key-of-mine-1"})
    assert used.status_code == 200
    assert (used.json()["state"], used.json()["is_by_credit"]) == ("confirmed", True)
    other = make.proposed_lesson(student=student, teacher=TeacherFactory())
    refused = client.post(f"/api/v1/lessons/{other.pk}/use-credit", headers={"Idempotency-Key": "a-key-of-mine-2"})
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("credit-not-usable")


# --- Races


@pytest.mark.django_db(transaction=True)
def test_two_tabs_take_one_credit(lesson, student):
    outcomes = at_once(*[lambda: confirm(lesson)] * 4)
    assert all(isinstance(outcome, Lesson) for outcome in outcomes), outcomes
    assert left(student) == 3


@pytest.mark.django_db(transaction=True)
def test_two_lessons_never_share_the_last_credit(student):
    """Azuriom/Plugin-Shop#285: two carts paid with one balance at once, and it was overdrawn."""
    LessonCredit.objects.filter(number__gt=1).update(state="lapsed", ended_at=timezone.now())
    lessons = [make.proposed_lesson(student=student, teacher=taking_credits(TeacherFactory())) for _ in range(4)]
    outcomes = at_once(*[lambda lesson=lesson: confirm(lesson) for lesson in lessons])
    assert sum(isinstance(outcome, Lesson) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, CreditNotUsable) for outcome in outcomes) == 3
    LessonCredit.objects.filter(state="lapsed").update(state="unused", ended_at=None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_paying_first", [True, False])
def test_a_lesson_is_paid_or_takes_a_credit_never_both(lesson, student, is_paying_first):
    def pay():
        with transaction.atomic():
            selling.reserve(make.sold_line(lesson), make.soon())
        return "held"

    both = (pay, lambda: confirm(lesson)) if is_paying_first else (lambda: confirm(lesson), pay)
    first, second = one_waits_for_the_other(*both)
    if is_paying_first:
        assert first == "held"
        assert isinstance(second, CreditNotUsable)
        assert left(student) == 4
    else:
        assert isinstance(first, Lesson)
        assert isinstance(second, SoldOut)
        assert left(student) == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_refund_first", [True, False])
def test_a_refund_and_a_credit_that_comes_back_at_once_leave_no_credit(lesson, student, is_refund_first):
    confirm(lesson)
    period = LessonCredit.objects.first().period

    def refund():
        return refund_period(period)

    both = (refund, lambda: cancel(lesson)) if is_refund_first else (lambda: cancel(lesson), refund)
    at_once(*both)
    assert left(student) == 0
    assert set(LessonCredit.objects.values_list("state", flat=True)) == {"revoked"}


@pytest.mark.django_db(transaction=True)
def test_workers_that_earn_at_once_book_it_once(lesson, teacher):
    confirm(lesson)
    Subscription.objects.all()
    with later(days=14):
        earned = at_once(*[earn_credits_of_lessons] * 4)
    assert sum(earned) == 1
    assert earned_by(teacher) == 450
    assert credit_for(lesson) is None
