"""Requests to any teacher: who gets them, what is recorded, and what happens when a teacher does not answer."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.applications import suspend_teacher
from accounts.models import Teacher
from accounts.tests.factories import TeacherFactory, UserFactory
from bookings import invariants, rules
from bookings.availability import set_availability
from bookings.matching import Tally, requests_on_desk
from bookings.models import Assignment, LessonRequest, TeacherLoad
from bookings.moves import MoveRefused, move_request
from bookings.proposals import accept_request, decline_request
from bookings.reassignment import assign_waiting, pass_on_unanswered, reassign_abandoned
from bookings.requests import RequestClosed, withdraw_request
from bookings.tasks import find_teachers, lapse_requests
from bookings.tests import factories as make
from notifications.models import Alert, Mail

pytestmark = pytest.mark.django_db
State = LessonRequest.State


@pytest.fixture(autouse=True)
def invariants_hold():
    yield
    broken = {invariant.name: invariant.breaking() for invariant in invariants.INVARIANTS}
    assert not any(broken.values()), broken


@pytest.fixture
def taught():
    return make.subject()


def ask(taught, **fields):
    return make.open_request(is_to_any=True, subject=taught, **fields)


def mailed(request, outcome):
    found = Mail.objects.filter(key__startswith=f"lesson-request:{request.pk}:{outcome}").order_by("pk")
    return list(found.values_list("to", flat=True))


def decline(request, note=""):
    decline_request(request_id=request.pk, teacher=request.teacher, note=note)
    request.refresh_from_db()


def late(request):
    make.waiting_since(request, days=rules.ASSIGNED_ANSWER_WITHIN.days + 1)
    lapse_requests()
    request.refresh_from_db()


# --- Who is suitable


def test_only_a_teacher_of_subject_level_and_region_who_is_approved_is_asked(taught):
    fits = make.teacher_of(taught, regions=["US"])
    others = [
        make.teacher_of(taught, levels=["advanced"], regions=[]),
        make.teacher_of(make.subject(), regions=[]),
        make.teacher_of(taught, regions=["GB"]),
        make.teacher_of(taught, regions=["US-NY"]),
        make.teacher_of(taught, status=Teacher.Status.SUSPENDED, regions=[]),
        make.teacher_of(taught, regions=[], user__is_active=False),
    ]
    student = make.teacher_of(taught, regions=[])
    request = ask(taught, student=student.user, region="US-CA")
    assert request.teacher == fits
    assert list(requests_on_desk(fits)) == [request]
    assert mailed(request, "received") == [fits.user.email]
    assert mailed(request, "assigned") == [student.user.email]
    for teacher in [*others, student]:
        with pytest.raises(LessonRequest.DoesNotExist):
            accept_request(request_id=request.pk, teacher=teacher, proposal=make.proposal())


def test_a_teacher_without_regions_may_teach_anywhere(taught):
    teacher = make.teacher_of(taught, regions=[])
    assert ask(taught, region="JP").teacher == teacher


@pytest.mark.parametrize(
    ("availability", "is_asked"),
    [
        ({"is_paused": True}, False),
        ({"is_paused": True, "paused_until": 1}, False),
        ({"is_paused": True, "paused_until": 0}, True),
        ({"is_paused": False, "days": ["tue"]}, False),
        ({"is_paused": False, "days": ["mon", "tue"]}, True),
        ({"is_paused": False, "days": []}, True),
    ],
)
def test_a_pause_and_other_days_keep_requests_away(taught, availability, is_asked):
    teacher = make.teacher_of(taught)
    if "paused_until" in availability:
        # Days from now: a date of when tests were collected may be over.
        availability |= {"paused_until": timezone.localdate() + timedelta(days=availability["paused_until"])}
    set_availability(teacher=teacher, **availability)
    request = ask(taught, preferred_days=["mon"])
    assert request.teacher == (teacher if is_asked else None)


def test_days_do_not_matter_to_a_student_who_names_none(taught):
    teacher = make.teacher_of(taught)
    set_availability(teacher=teacher, is_paused=False, days=["tue"])
    assert ask(taught).teacher == teacher


def test_a_teacher_who_is_asked_by_name_already_is_not_asked_twice(taught):
    asked, other = make.teacher_of(taught), make.teacher_of(taught)
    for _ in range(3):
        make.open_request(teacher=other)
    student = UserFactory()
    make.open_request(student=student, teacher=asked, subject=taught)
    assert ask(taught, student=student).teacher == other


def test_asking_any_teacher_twice_for_a_subject_is_refused(taught):
    make.teacher_of(taught)
    make.teacher_of(taught)
    first = ask(taught)
    with pytest.raises(Exception, match="already requested"):
        ask(taught, student=first.student)


# --- The least work


def test_the_teacher_with_the_least_work_gets_it(taught):
    asked, booked, promised, idle = (make.teacher_of(taught) for _ in range(4))
    make.open_request(teacher=asked)
    make.confirmed_lesson(teacher=booked)
    make.proposed_lessons(make.slot(days=3), make.slot(days=4), teacher=promised)
    first = ask(taught)
    assert first.teacher == idle
    assert {load.teacher: load.total for load in TeacherLoad.objects.all() if load.teacher != idle} == {
        asked: 1, booked: 1, promised: 1,
    }  # fmt: skip


def test_what_is_over_answered_or_not_bought_is_no_work(taught):
    lesson, _ = make.confirmed_lesson()
    type(lesson).objects.filter(pk=lesson.pk).update(period=make.slot(days=-2).as_range())
    stale = make.proposed_lesson()
    type(stale).objects.filter(pk=stale.pk).update(period=make.slot(days=-2).as_range())
    declined = make.open_request()
    decline_request(request_id=declined.pk, teacher=declined.teacher, note="")
    for teacher in (lesson.teacher, stale.teacher, declined.teacher):
        assert TeacherLoad.objects.get(teacher=teacher).total == 0


def test_a_bought_lesson_counts_and_the_times_left_over_do_not():
    first, second = make.proposed_lessons(make.slot(days=3), make.slot(days=4))
    line = make.sold_line(first)
    make.handler.reserve(line, make.soon())
    held = TeacherLoad.objects.get(teacher=first.teacher)
    make.handler.fulfil(line)
    bought = TeacherLoad.objects.get(teacher=first.teacher)
    assert [(load.open_proposals, load.upcoming_lessons) for load in (held, bought)] == [(0, 1), (0, 1)]
    assert second.teacher == first.teacher


def test_requests_one_after_the_other_are_spread_evenly(taught):
    teachers = [make.teacher_of(taught) for _ in range(4)]
    for _ in range(10):
        ask(taught)
    loads = [TeacherLoad.objects.get(teacher=teacher).total for teacher in teachers]
    assert sorted(loads) == [2, 2, 3, 3]


# --- Broader, and staff


def test_without_a_teacher_of_the_subject_one_of_the_broader_subject_is_asked():
    broad = make.subject()
    narrow = make.subject(broader=broad)
    make.teacher_of(narrow, levels=["advanced"])
    teacher = make.teacher_of(broad)
    request = ask(narrow)
    assert request.teacher == teacher
    assignment = request.assignments.get()
    assert assignment.subject == broad
    assert [Tally.from_json(stored).counts for stored in assignment.findings] == [{"level": 1}, {"suitable": 1}]


def test_a_teacher_of_the_subject_comes_before_an_idle_one_of_the_broader_subject():
    broad = make.subject()
    narrow = make.subject(broader=broad)
    make.teacher_of(broad)
    busy = make.teacher_of(narrow)
    make.open_request(teacher=busy)
    assert ask(narrow).teacher == busy


def test_without_any_suitable_teacher_staff_are_alerted_and_the_student_is_told_kindly(taught):
    make.teacher_of(taught, regions=["FR"])
    request = ask(taught)
    assert (request.teacher, request.state) == (None, State.OPEN)
    assert Alert.objects.get().key == f"lesson-request:{request.pk}:no-teacher"
    assert mailed(request, "unassigned") == [request.student.email]
    assert request.assignments.get().findings == [{"subject_id": taught.pk, "counts": {"region": 1}}]
    assert LessonRequest.objects.filter(LessonRequest.waits_for_staff()).get() == request


def test_a_request_that_waits_is_given_to_a_teacher_who_becomes_available_and_the_alert_is_cleared(taught):
    teacher = make.teacher_of(taught)
    set_availability(teacher=teacher, is_paused=True)
    request = ask(taught)
    find_teachers()
    assert Mail.objects.filter(key__contains=":unassigned:").count() == 1
    set_availability(teacher=teacher, is_paused=False)
    assert assign_waiting() == 1
    request.refresh_from_db()
    assert request.teacher == teacher
    assert not Alert.objects.filter(cleared_at=None).exists()
    assert [one.outcome for one in request.assignments.all()] == ["found", ""]
    assert assign_waiting() == 0


def test_a_request_for_which_staff_find_no_teacher_lapses_and_the_student_is_told(taught):
    request = ask(taught)
    make.waiting_since(request, days=rules.ANSWER_WITHIN.days + 1)
    pass_on_unanswered()
    request.refresh_from_db()
    assert request.state == State.LAPSED
    assert mailed(request, "lapsed") == [request.student.email]
    assert not Alert.objects.filter(cleared_at=None).exists()


# --- The record


def test_why_a_teacher_was_chosen_is_recorded(taught):
    chosen, busy = make.teacher_of(taught), make.teacher_of(taught)
    make.open_request(teacher=busy)
    make.teacher_of(taught, regions=["FR"])
    set_availability(teacher=make.teacher_of(taught), is_paused=True)
    assignment = ask(taught).assignments.get()
    assert (assignment.teacher, assignment.load, assignment.cause) == (chosen, 0, "requested")
    assert assignment.findings == [
        {"subject_id": taught.pk, "counts": {"suitable": 2, "region": 1, "paused": 1}},
    ]
    assert assignment.runners_up == [{"teacher_id": busy.pk, "load": 1}]


# --- Declined, unanswered, gone


def test_a_declined_request_goes_to_the_next_teacher_and_never_back(taught):
    teachers = {make.teacher_of(taught) for _ in range(2)}
    request = ask(taught)
    first = request.teacher
    decline(request, note="Full")
    second = request.teacher
    assert {first, second} == teachers
    assert mailed(request, "received") == [first.user.email, second.user.email]
    assert mailed(request, "assigned") == [request.student.email] * 2
    assert not mailed(request, "declined")
    decline(request)
    assert (request.teacher, request.state) == (None, State.OPEN)
    assert [(one.outcome, one.note) for one in request.assignments.all()] == [
        ("declined", "Full"), ("declined", ""), ("", ""),
    ]  # fmt: skip
    assert assign_waiting() == 0
    with pytest.raises(RequestClosed, match="gone to another"):
        accept_request(request_id=request.pk, teacher=first, proposal=make.proposal())


def test_an_unanswered_request_goes_to_the_next_teacher_and_both_are_told(taught):
    make.teacher_of(taught)
    make.teacher_of(taught)
    request = ask(taught)
    first = request.teacher
    late(request)
    assert request.teacher not in (first, None)
    assert request.state == State.OPEN
    assert mailed(request, "left") == [first.user.email]
    assert [one.cause for one in request.assignments.all()] == ["requested", "lapsed"]
    assert pass_on_unanswered() == 0


def test_after_five_teachers_staff_take_over(taught):
    for _ in range(rules.TEACHERS_ASKED_AT_MOST + 2):
        make.teacher_of(taught)
    request = ask(taught)
    for _ in range(rules.TEACHERS_ASKED_AT_MOST):
        decline(request)
    assert request.teacher is None
    assert Alert.objects.filter(cleared_at=None).count() == 1
    assert assign_waiting() == 0


def test_requests_of_a_suspended_teacher_go_to_another(taught):
    first = make.teacher_of(taught)
    request = ask(taught)
    second = make.teacher_of(taught)
    suspend_teacher(teacher=first, by=UserFactory(is_staff=True))
    assert reassign_abandoned() == 1
    request.refresh_from_db()
    assert request.teacher == second


def test_an_accepted_and_a_withdrawn_request_have_no_current_assignment(taught):
    make.teacher_of(taught)
    accepted = ask(taught)
    accept_request(request_id=accepted.pk, teacher=accepted.teacher, proposal=make.proposal())
    withdrawn = ask(taught)
    withdraw_request(request_id=withdrawn.pk, student=withdrawn.student)
    assert [request.assignments.get().outcome for request in (accepted, withdrawn)] == ["accepted", "withdrawn"]


def test_the_database_refuses_to_ask_a_teacher_again_and_two_at_once(taught):
    teacher = make.teacher_of(taught)
    request = ask(taught)
    row = {"request": request, "teacher": teacher, "cause": "moved"}
    for wrong in (
        {"outcome": "lapsed", "ended_at": timezone.now()},
        {"teacher": TeacherFactory()},
        {"outcome": "lapsed"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Assignment.objects.create(**row | wrong)


# --- Moved by staff


def test_staff_move_a_request_and_everyone_concerned_is_told(taught):
    first = make.teacher_of(taught)
    request = ask(taught)
    staff, second = UserFactory(is_staff=True), TeacherFactory()
    move_request(request_id=request.pk, to=second, by=staff, note="Asked on the phone")
    request.refresh_from_db()
    assert request.teacher == second
    assert mailed(request, "left") == [first.user.email]
    assert mailed(request, "received") == [first.user.email, second.user.email]
    moved = request.assignments.get(ended_at=None)
    assert (moved.made_by, moved.note, moved.cause) == (staff, "Asked on the phone", "moved")
    move_request(request_id=request.pk, to=first, by=staff)
    assert mailed(request, "received").count(first.user.email) == 2


def test_staff_find_a_teacher_for_a_request_that_waits(taught):
    request = ask(taught)
    move_request(request_id=request.pk, to=TeacherFactory(), by=UserFactory())
    assert not Alert.objects.filter(cleared_at=None).exists()


def test_a_request_to_a_named_teacher_is_moved_without_their_offer():
    offer = make.offer()
    request = make.open_request(teacher=offer.teacher, offer=offer, subject=offer.subject)
    other = TeacherFactory()
    move_request(request_id=request.pk, to=other, by=UserFactory())
    request.refresh_from_db()
    assert (request.teacher, request.offer) == (other, None)
    decline(request)
    assert request.state == State.DECLINED


def test_impossible_moves_are_refused_and_change_nothing(taught):
    make.teacher_of(taught)
    request = ask(taught)
    refused = request.teacher
    decline(request)
    now = TeacherFactory()
    move_request(request_id=request.pk, to=now, by=UserFactory())
    by_name = make.open_request(student=request.student, subject=taught).teacher
    for wrong in (refused, now, by_name, TeacherFactory(status="suspended"), TeacherFactory(user=request.student)):
        with pytest.raises(MoveRefused):
            move_request(request_id=request.pk, to=wrong, by=UserFactory())
    request.refresh_from_db()
    assert request.teacher == now
    withdraw_request(request_id=request.pk, student=request.student)
    with pytest.raises(MoveRefused, match="no longer open"):
        move_request(request_id=request.pk, to=TeacherFactory(), by=UserFactory())


# --- Invariants


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("as_recorded", lambda request: LessonRequest.objects.filter(pk=request.pk).update(teacher=TeacherFactory())),
        ("as_recorded", lambda request: LessonRequest.objects.filter(pk=request.pk).update(teacher=None)),
        ("as_recorded", lambda request: LessonRequest.objects.filter(pk=request.pk).update(state="withdrawn")),
        ("as_recorded", lambda request: request.assignments.all().delete()),
        ("as_recorded", lambda request: request.assignments.update(teacher=None)),
        ("asked_again", lambda request: request.assignments.update(outcome="declined", ended_at=timezone.now())),
    ],
)
def test_a_record_that_disagrees_with_its_request_is_noticed(taught, name, spoil):
    make.teacher_of(taught)
    request = ask(taught)
    with transaction.atomic():
        spoil(request)
        broken = {invariant.name: invariant.breaking() for invariant in invariants.INVARIANTS}
        transaction.set_rollback(True)
    assert [found for key, found in broken.items() if key.endswith(name)] == [[request.pk]]
