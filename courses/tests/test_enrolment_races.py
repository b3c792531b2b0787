"""Races between real connections: the unique row of (course, student) decides."""

import threading

import pytest
from django.db import connection, transaction

from accounts.tests.factories import UserFactory
from courses.handler import CourseHandler
from courses.models import Enrolment
from courses.tests.factories import published_course, sold_line, soon
from notifications.models import Mail
from payments.contracts import CannotDeliver, SoldOut

pytestmark = pytest.mark.django_db(transaction=True)
selling = CourseHandler()


def race(*calls):
    """Start the calls together, each in its own transaction and connection; return what each raised, in order."""
    start, outcomes = threading.Barrier(len(calls)), [None] * len(calls)

    def run(position, call):
        try:
            with transaction.atomic():
                connection.cursor().execute("select 1")
                start.wait(timeout=10)
                call()
        except (SoldOut, CannotDeliver) as refused:
            outcomes[position] = type(refused)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return outcomes


@pytest.mark.parametrize("round_number", range(5))
def test_only_one_of_two_simultaneous_orders_holds_the_course(round_number):
    course, student = published_course(), UserFactory()
    lines = [sold_line(course, student), sold_line(course, student)]
    outcomes = race(*[lambda line=line: selling.reserve(line, soon()) for line in lines])
    assert sorted(outcomes, key=str) == [SoldOut, None] or sorted(outcomes, key=str) == [None, SoldOut]
    assert Enrolment.objects.get().order_line_id == lines[outcomes.index(None)].id


@pytest.mark.parametrize("round_number", range(5))
def test_only_one_of_two_simultaneous_payments_is_delivered(round_number):
    course, student = published_course(), UserFactory()
    lines = [sold_line(course, student), sold_line(course, student)]
    outcomes = race(*[lambda line=line: selling.fulfil(line) for line in lines])
    assert set(outcomes) == {None, CannotDeliver}
    assert Enrolment.objects.get().order_line_id == lines[outcomes.index(None)].id
    assert Mail.objects.count() == 2


@pytest.mark.parametrize("round_number", range(3))
def test_a_payment_delivered_many_times_at_once_has_the_effect_of_once(round_number):
    course, student = published_course(), UserFactory()
    line = sold_line(course, student)
    selling.reserve(line, soon())
    assert race(*[lambda: selling.fulfil(line)] * 8) == [None] * 8
    assert Enrolment.objects.get().state == Enrolment.State.ACTIVE
    assert Mail.objects.count() == 2


@pytest.mark.parametrize("round_number", range(5))
def test_a_payment_at_the_moment_its_hold_ends_is_delivered(round_number):
    course, student = published_course(), UserFactory()
    line = sold_line(course, student)
    selling.reserve(line, soon())
    assert race(lambda: selling.fulfil(line), lambda: selling.release(line)) == [None, None]
    assert Enrolment.objects.get().state == Enrolment.State.ACTIVE
