from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from bookings import rules
from bookings.matching import requests_on_desk
from bookings.models import Lesson, LessonRequest
from bookings.proposals import ProposalRefused, accept_request, decline_request, withdraw_proposal
from bookings.reassignment import pass_on_unanswered
from bookings.requests import RequestClosed, RequestRefused, withdraw_request
from bookings.slots import Slot
from bookings.tasks import lapse_requests
from bookings.tests import factories as make
from catalogue.models import Expertise
from money import Money
from notifications.models import Mail

pytestmark = pytest.mark.django_db
State = LessonRequest.State


def accept(request, teacher=None, **fields):
    return accept_request(request_id=request.pk, teacher=teacher or request.teacher, proposal=make.proposal(**fields))


def state_of(request):
    request.refresh_from_db()
    return request.state


def mailed(request, outcome):
    return list(
        Mail.objects.filter(key__startswith=f"lesson-request:{request.pk}:{outcome}").values_list("to", flat=True)
    )


def test_a_request_mails_the_teacher_once():
    request = make.open_request()
    assert mailed(request, "received") == [request.teacher.user.email]


def test_accepting_proposes_every_slot_at_one_price_and_mails_the_student():
    request = make.open_request(student=UserFactory(time_zone="America/New_York"))
    lessons = accept_request(
        request_id=request.pk,
        teacher=request.teacher,
        proposal=make.proposal(make.slot(days=12), make.slot(days=10), price=Money(5_000, "JPY"), note="See you"),
    )
    assert [lesson.starts_at for lesson in lessons] == [make.slot(days=10).starts_at, make.slot(days=12).starts_at]
    assert {(lesson.state, str(lesson.price)) for lesson in lessons} == {("proposed", "¥5,000")}
    assert state_of(request) == State.ACCEPTED
    assert request.answered_at
    mail = Mail.objects.get(key=f"lesson-request:{request.pk}:accepted")
    assert mail.to == request.student.email
    assert mail.context["slots"][0]["when"].endswith((" EST", " EDT"))
    assert mail.context["note"] == "See you"


def test_declining_keeps_the_note_and_mails_the_student():
    request = make.open_request()
    decline_request(request_id=request.pk, teacher=request.teacher, note="On holiday")
    assert (state_of(request), request.teacher_note) == (State.DECLINED, "On holiday")
    assert mailed(request, "declined") == [request.student.email]


def test_a_withdrawn_request_leaves_the_desk():
    request = make.open_request()
    withdraw_request(request_id=request.pk, student=request.student)
    assert state_of(request) == State.WITHDRAWN
    assert not requests_on_desk(request.teacher).exists()


@pytest.mark.parametrize("answer", ["accept", "decline", "withdraw", "lapse"])
def test_an_answered_request_is_not_answered_again(answer):
    request = make.open_request()
    if answer == "accept":
        accept(request)
    elif answer == "decline":
        decline_request(request_id=request.pk, teacher=request.teacher, note="")
    elif answer == "withdraw":
        withdraw_request(request_id=request.pk, student=request.student)
    else:
        make.waiting_since(request, days=30)
        pass_on_unanswered()
    before = state_of(request)
    with pytest.raises(RequestClosed):
        accept(request)
    with pytest.raises(RequestClosed):
        decline_request(request_id=request.pk, teacher=request.teacher, note="")
    with pytest.raises(RequestClosed):
        withdraw_request(request_id=request.pk, student=request.student)
    make.waiting_since(request, days=30)
    assert pass_on_unanswered() == 0
    assert state_of(request) == before


def test_others_can_neither_answer_nor_withdraw():
    request = make.open_request()
    with pytest.raises(LessonRequest.DoesNotExist):
        accept(request, teacher=TeacherFactory())
    with pytest.raises(LessonRequest.DoesNotExist):
        decline_request(request_id=request.pk, teacher=TeacherFactory(), note="")
    with pytest.raises(LessonRequest.DoesNotExist):
        withdraw_request(request_id=request.pk, student=UserFactory())
    lesson = make.proposed_lesson()
    with pytest.raises(Lesson.DoesNotExist):
        withdraw_proposal(lesson_id=lesson.pk, teacher=TeacherFactory())
    assert state_of(request) == State.OPEN


def test_requests_lapse_after_the_time_to_answer_and_the_student_is_mailed_once():
    old, fresh = make.open_request(), make.open_request()
    make.waiting_since(old, days=rules.ANSWER_WITHIN.days + 1)
    make.waiting_since(fresh, days=rules.ANSWER_WITHIN.days - 1)
    lapse_requests()
    lapse_requests()
    assert (state_of(old), state_of(fresh)) == (State.LAPSED, State.OPEN)
    assert mailed(old, "lapsed") == [old.student.email]


def test_all_that_are_too_old_lapse_in_one_run():
    for _ in range(5):
        make.waiting_since(make.open_request(), days=30)
    assert pass_on_unanswered() == 5


def test_teachers_cannot_ask_themselves():
    teacher = TeacherFactory()
    with pytest.raises(RequestRefused):
        make.open_request(student=teacher.user, teacher=teacher)


def test_asking_the_same_teacher_again_waits_for_the_first_answer():
    first = make.open_request()
    with pytest.raises(RequestRefused, match="already requested"):
        make.open_request(student=first.student, teacher=first.teacher, subject=first.subject)
    decline_request(request_id=first.pk, teacher=first.teacher, note="")
    make.open_request(student=first.student, teacher=first.teacher, subject=first.subject)


def test_the_number_of_open_requests_of_a_student_is_limited():
    student = UserFactory()
    for _ in range(rules.OPEN_REQUESTS_AT_MOST):
        make.open_request(student=student)
    with pytest.raises(RequestRefused, match="Withdraw one"):
        make.open_request(student=student)


def overlapping_slots():
    first = make.slot()
    return first, Slot(first.starts_at + timedelta(minutes=30), first.ends_at + timedelta(minutes=30))


@pytest.mark.parametrize(
    ("slots", "price", "message"),
    [
        (lambda: [make.slot(days=-1)], Money(4_000, "GBP"), "passed"),
        (lambda: [make.slot(days=400)], Money(4_000, "GBP"), "twelve months"),
        (overlapping_slots, Money(4_000, "GBP"), "overlap"),
        (lambda: [make.slot(days=n) for n in range(1, 9)], Money(4_000, "GBP"), "between 1 and"),
        (lambda: [make.slot()], Money(29, "GBP"), "The least"),
        (lambda: [make.slot()], Money(0, "GBP"), "The least"),
        (lambda: [make.slot()], Money(100_000_000, "GBP"), "The most"),
    ],
)
def test_a_proposal_that_cannot_be_bought_is_refused(slots, price, message):
    request = make.open_request()
    with pytest.raises(ProposalRefused, match=message), transaction.atomic():
        accept_request(request_id=request.pk, teacher=request.teacher, proposal=make.proposal(*slots(), price=price))
    assert state_of(request) == State.OPEN
    assert not Lesson.objects.exists()


def test_a_sold_slot_cannot_be_proposed_again():
    lesson, _ = make.confirmed_lesson()
    request = make.open_request(teacher=lesson.teacher)
    with pytest.raises(ProposalRefused, match="confirmed lesson"), transaction.atomic():
        accept(request)


@pytest.mark.parametrize(
    "change",
    [
        {"state": "held"},
        {"state": "held", "order_line_id": 5},
        {"state": "confirmed"},
        {"state": "completed"},
        {"order_line_id": 5},
        {"held_until": timezone.now()},
        {"state": "sold"},
        {"amount_minor": 0},
        {"period": "empty"},
    ],
)
def test_the_database_refuses_impossible_lessons(change):
    lesson = make.proposed_lesson()
    if change.get("period") == "empty":
        change = {"period": Slot(lesson.starts_at, lesson.starts_at).as_range()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Lesson.objects.filter(pk=lesson.pk).update(**change)


@pytest.mark.parametrize("change", [{"teacher": None}, {"state": "done"}, {"teacher": None, "state": "accepted"}])
def test_the_database_refuses_impossible_requests(change):
    request = make.open_request()
    with pytest.raises(IntegrityError), transaction.atomic():
        LessonRequest.objects.filter(pk=request.pk).update(**change)


def test_the_desk_takes_as_many_queries_for_ten_requests_as_for_one(django_assert_num_queries):
    taught = make.subject()
    teacher = make.teacher_of(taught)
    for number in range(5):
        make.open_request(teacher=teacher)
        make.open_request(is_to_any=True, subject=taught)
        if number in (0, 4):
            with django_assert_num_queries(1):
                found = [(r.student.email, r.subject.name, r.offer) for r in requests_on_desk(teacher)]
    assert len(found) == 10
    assert Expertise.objects.count() == 1


def test_a_student_without_a_verified_address_cannot_make_requests():
    student, teacher = UserFactory(is_verified=False), TeacherFactory()
    with pytest.raises(RequestRefused, match="verify your email address"):
        make.open_request(student=student, teacher=teacher)
    assert not Mail.objects.exists()


def test_an_address_changed_since_it_was_verified_counts_as_not_verified():
    student = UserFactory()
    student.email = "another@example.org"
    student.save()
    with pytest.raises(RequestRefused, match="verify"):
        make.open_request(student=student)


def ask_and_withdraw(student, times, **options):
    """Mail teachers again and again: withdrawing a request makes room for the next one."""
    for _ in range(times):
        request = make.open_request(student=student, **options)
        withdraw_request(request_id=request.pk, student=student)


def test_withdrawn_requests_to_any_teacher_count_towards_three_a_day():
    student = UserFactory()
    taught = make.subject()
    teacher = make.teacher_of(taught)
    with pytest.raises(RequestRefused, match="3 times a day"):
        ask_and_withdraw(student, 4, is_to_any=True, subject=taught)
    assert Mail.objects.filter(to=teacher.user.email).count() == 3


def test_withdrawn_requests_count_towards_fifteen_a_day():
    student, teacher = UserFactory(), TeacherFactory()
    with pytest.raises(RequestRefused, match="15 requests a day"):
        ask_and_withdraw(student, 16, teacher=teacher)
    assert Mail.objects.filter(to=teacher.user.email).count() == rules.REQUESTS_PER_DAY
    LessonRequest.objects.update(created_at=timezone.now() - timedelta(days=1, seconds=1))
    ask_and_withdraw(student, 1, teacher=teacher)
