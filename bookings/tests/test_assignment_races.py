"""Many requests to any teacher at the same moment, each on its own connection."""

from collections import Counter

import pytest
from django.db import connection, transaction

from accounts.tests.factories import UserFactory
from bookings import assignment, invariants
from bookings.models import Assignment, LessonRequest
from bookings.proposals import decline_request
from bookings.reassignment import assign_waiting, pass_on_unanswered
from bookings.requests import RequestClosed
from bookings.tests import factories as make
from bookings.tests.test_races import at_once
from catalogue.models import Expertise

pytestmark = pytest.mark.django_db(transaction=True)


def asking(student, taught):
    return lambda: make.open_request(student=student, is_to_any=True, subject=taught)


def loads_of(teachers):
    counted = Counter(LessonRequest.objects.filter(state="open").values_list("teacher_id", flat=True))
    return [counted[teacher.pk] for teacher in teachers]


def test_two_hundred_requests_at_once_are_spread_evenly():
    """Over two subjects whose teachers overlap: a lock for each subject would not be enough."""
    music, piano = make.subject(), make.subject()
    teachers = [make.teacher_of(music) for _ in range(7)]
    for teacher in teachers:
        Expertise.objects.create(teacher=teacher, subject=piano, levels=["beginner"])
    students = [UserFactory() for _ in range(200)]
    made = at_once(*(asking(student, (music, piano)[n % 2]) for n, student in enumerate(students)))
    assert [one for one in made if not isinstance(one, LessonRequest)] == []
    loads = loads_of(teachers)
    assert sum(loads) == 200
    assert max(loads) - min(loads) <= 1
    assert not any(invariant.breaking() for invariant in invariants.INVARIANTS)


def test_requests_declined_at_once_go_to_others_and_never_back():
    taught = make.subject()
    teachers = [make.teacher_of(taught) for _ in range(5)]
    requests = [make.open_request(is_to_any=True, subject=taught) for _ in range(20)]
    first = {request.pk: request.teacher_id for request in requests}
    declined = at_once(
        *(
            lambda request=request: decline_request(request_id=request.pk, teacher=request.teacher, note="")
            for request in requests
        )
    )
    assert [one for one in declined if isinstance(one, Exception)] == []
    after = dict(LessonRequest.objects.values_list("pk", "teacher_id"))
    assert all(after[pk] not in (None, teacher) for pk, teacher in first.items())
    # In the order in which they were made, each went to one with the least work at that moment.
    loads = Counter(first.values())
    choices = Assignment.objects.filter(cause="declined").order_by("pk")
    assert len(choices) == 20
    for made in choices:
        declining = first[made.request_id]
        loads[declining] -= 1
        least = min(loads[teacher.pk] for teacher in teachers if teacher.pk != declining)
        assert made.load == loads[made.teacher_id] == least
        loads[made.teacher_id] += 1
    assert [loads[teacher.pk] for teacher in teachers] == loads_of(teachers)
    assert not any(invariant.breaking() for invariant in invariants.INVARIANTS)


@pytest.mark.parametrize("round_number", range(5))
def test_a_request_declined_while_it_is_passed_on_goes_to_one_next_teacher(round_number):
    taught = make.subject()
    for _ in range(3):
        make.teacher_of(taught)
    request = make.open_request(is_to_any=True, subject=taught)
    make.waiting_since(request, days=3)
    outcomes = at_once(
        pass_on_unanswered,
        pass_on_unanswered,
        lambda: decline_request(request_id=request.pk, teacher=request.teacher, note=""),
    )
    assert [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, RequestClosed)] == []
    assert Assignment.objects.filter(request=request).count() == 2
    assert Assignment.objects.filter(request=request, ended_at=None).count() == 1


def test_the_same_request_to_any_teacher_sent_many_times_at_once_is_made_once():
    taught = make.subject()
    for _ in range(8):
        make.teacher_of(taught)
    at_once(*[asking(UserFactory(), taught)] * 8)
    assert LessonRequest.objects.count() == 1


def test_a_request_waits_for_the_periodic_task_while_another_process_holds_the_lock_for_long(monkeypatch):
    monkeypatch.setattr(assignment, "_PATIENCE", "200ms")
    taught = make.subject()
    teacher = make.teacher_of(taught)
    first, second = UserFactory(), UserFactory()
    with transaction.atomic():
        make.open_request(student=first, is_to_any=True, subject=taught)
        [made] = at_once(asking(second, taught))
    assert made.teacher is None
    assert made.assignments.count() == 0
    assert assign_waiting() == 1
    made.refresh_from_db()
    assert made.teacher == teacher


def test_waiting_longer_for_assignments_is_over_once_it_is_made():
    taught = make.subject()
    make.teacher_of(taught)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        before = cursor.fetchone()
        make.open_request(is_to_any=True, subject=taught)
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == before
