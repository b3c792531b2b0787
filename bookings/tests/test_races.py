"""Races for one slot between several real connections."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, close_old_connections, connection, transaction
from django.utils import timezone
from psycopg.errors import ExclusionViolation

from accounts.tests.factories import TeacherFactory
from bookings.models import Lesson, LessonRequest
from bookings.tests import factories as make
from bookings.tests.factories import handler
from notifications.models import Mail
from payments.contracts import CannotDeliver, SoldOut

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*actions):
    """Start all actions at the same moment, each on its own connection; return what each returned or raised."""
    shot = threading.Barrier(len(actions))

    def run(action):
        try:
            connection.ensure_connection()
            shot.wait(timeout=30)
            return action()
        except Exception as error:  # noqa: BLE001  # the test examines what was raised
            return error
        finally:
            connection.close()
            close_old_connections()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def reserving(*lines):
    def act():
        with transaction.atomic():
            for line in lines:
                handler.reserve(line, make.soon())
        return "held"

    return act


def fulfilling(line):
    def act():
        with transaction.atomic():
            handler.fulfil(line)
        return "delivered"

    return act


def rivals(number):
    """Lessons of one teacher, each proposed to a different student, that all overlap."""
    teacher = TeacherFactory()
    return [make.proposed_lesson(teacher=teacher, when=make.slot(minutes=60 + n)) for n in range(number)]


@pytest.mark.parametrize("round_number", range(10))
def test_one_of_two_students_who_check_out_at_once_gets_the_slot(round_number):
    outcomes = at_once(*(reserving(make.sold_line(lesson)) for lesson in rivals(2)))
    assert outcomes.count("held") == 1
    assert sum(isinstance(outcome, SoldOut) for outcome in outcomes) == 1
    assert Lesson.objects.filter(state="held").count() == 1


def test_one_of_fifty_students_who_check_out_at_once_gets_the_slot():
    outcomes = at_once(*(reserving(make.sold_line(lesson)) for lesson in rivals(50)))
    assert outcomes.count("held") == 1
    assert sum(isinstance(outcome, SoldOut) for outcome in outcomes) == 49
    assert Lesson.objects.filter(state="held").count() == 1


def test_the_same_race_without_constraint_and_lock_sells_the_slot_twice():
    """The control: checking first and writing afterwards does not prevent double selling."""
    pair = rivals(2)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE naive_lesson (LIKE bookings_lesson INCLUDING DEFAULTS)")
        cursor.execute("INSERT INTO naive_lesson SELECT * FROM bookings_lesson")
    looked = threading.Barrier(2)

    def sell(lesson):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM naive_lesson WHERE teacher_id = %s AND state IN ('held', 'confirmed')"
                " AND period && %s",
                [lesson.teacher_id, lesson.period],
            )
            is_free = cursor.fetchone()[0] == 0
            looked.wait(timeout=30)
            if is_free:
                cursor.execute("UPDATE naive_lesson SET state = 'held' WHERE id = %s", [lesson.pk])
        return "held"

    try:
        at_once(*(lambda lesson=lesson: sell(lesson) for lesson in pair))
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM naive_lesson WHERE state = 'held'")
            assert cursor.fetchone()[0] == 2
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE naive_lesson")


def test_the_database_alone_refuses_a_slot_sold_twice():
    first, second = rivals(2)
    held = {"state": "held", "held_until": make.soon()}
    Lesson.objects.filter(pk=first.pk).update(order_line_id=1, **held)
    with pytest.raises(IntegrityError) as refused:
        Lesson.objects.filter(pk=second.pk).update(order_line_id=2, **held)
    assert isinstance(refused.value.__cause__, ExclusionViolation)
    other_teachers = make.proposed_lesson()
    Lesson.objects.filter(pk=other_teachers.pk).update(order_line_id=3, **held)


def test_two_carts_with_the_same_teachers_in_opposite_order_do_not_hang():
    """Each books a free slot of the same two teachers, in opposite order; the one cancelled gets a friendly message."""
    one, two = TeacherFactory(), TeacherFactory()
    carts = [
        [make.sold_line(make.proposed_lesson(teacher=teacher, when=make.slot(hour=hour))) for teacher in teachers]
        for hour, teachers in ((8, (one, two)), (14, (two, one)))
    ]
    met = threading.Barrier(2)

    def buy(lines):
        with transaction.atomic():
            handler.reserve(lines[0], make.soon())
            met.wait(timeout=30)
            handler.reserve(lines[1], make.soon())
        return "held"

    outcomes = at_once(*(lambda lines=lines: buy(lines) for lines in carts))
    assert outcomes.count("held") == 1
    assert [str(outcome) for outcome in outcomes if isinstance(outcome, SoldOut)] == [
        "Another student is booking the same teachers right now. Please try again."
    ]


@pytest.mark.parametrize("round_number", range(5))
def test_a_payment_at_the_moment_its_hold_lapses_is_delivered_or_refused_but_never_sold_twice(round_number):
    first, second = rivals(2)
    late, early = make.sold_line(first), make.sold_line(second)
    handler.reserve(late, make.soon())
    Lesson.objects.filter(pk=first.pk).update(held_until=timezone.now() - timedelta(seconds=1))
    outcomes = at_once(fulfilling(late), reserving(early))
    won = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(won) == 1, outcomes
    assert {type(outcome) for outcome in outcomes} - {str} <= {CannotDeliver, SoldOut}
    assert Lesson.objects.filter(state__in=["held", "confirmed"]).count() == 1


def test_the_same_payment_delivered_twenty_times_at_once_confirms_and_mails_once():
    lesson = make.proposed_lesson()
    line = make.sold_line(lesson)
    handler.reserve(line, make.soon())
    assert at_once(*[fulfilling(line)] * 20) == ["delivered"] * 20
    assert Mail.objects.filter(key__startswith=f"lesson:{lesson.pk}:confirmed").count() == 2


def test_the_same_request_sent_many_times_at_once_is_made_once():
    teacher = TeacherFactory()
    taught = make.subject()
    student = make.UserFactory()
    at_once(*[lambda: make.open_request(student=student, teacher=teacher, subject=taught)] * 8)
    assert LessonRequest.objects.count() == 1
