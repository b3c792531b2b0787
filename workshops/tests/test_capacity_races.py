"""More buyers than places, on real connections: never oversold. A naive control shows that the race can oversell."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, connections
from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalogue.models import Listing
from payments.contracts import CannotDeliver, SoldOut
from workshops.handler import WorkshopHandler
from workshops.models import Registration
from workshops.tests.factories import in_half_an_hour, make_line, make_workshop

pytestmark = pytest.mark.django_db(transaction=True)
handler = WorkshopHandler()
THREADS = 16
PLACES = 20


def race(work, arguments):
    """Run `work` on each argument in THREADS threads with a connection each; the results are in no order."""

    def leave_no_connection(_):
        barrier.wait()
        connections.close_all()

    barrier = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            return list(pool.map(work, arguments))
        finally:
            list(pool.map(leave_no_connection, range(THREADS)))


def lines_for(workshop, how_many, **kwargs):
    buyer = UserFactory()
    return [make_line(workshop, buyer=buyer, line_id=number, **kwargs) for number in range(1, how_many + 1)]


def try_to_reserve(line):
    try:
        handler.reserve(line, in_half_an_hour())
    except SoldOut:
        return 0
    return line.quantity


def test_a_thousand_buyers_get_exactly_the_available_places():
    workshop = make_workshop(capacity=PLACES)
    sold = race(try_to_reserve, lines_for(workshop, 1_000))
    assert sum(sold) == PLACES
    assert sorted(Registration.objects.live().values_list("seat", flat=True)) == list(range(1, PLACES + 1))
    assert Listing.objects.get(reference=str(workshop.pk)).is_sold_out


def test_counting_before_inserting_oversells_in_the_same_race():
    """The control, in a table without our constraints: if this stops overselling, the race above proves nothing."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE naive_registration (workshop_id bigint, line_id bigint)")
    try:
        sold = race(count_then_insert, range(1_000))
        assert sum(sold) > PLACES
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE naive_registration")


def count_then_insert(line_id):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM naive_registration WHERE workshop_id = 1")
        if cursor.fetchone()[0] >= PLACES:
            return 0
        time.sleep(0.002)  # the time that code between the two statements takes
        cursor.execute("INSERT INTO naive_registration VALUES (1, %s)", [line_id])
        return 1


@pytest.mark.slow
def test_exactly_one_buyer_wins_each_of_a_thousand_races_for_the_last_place():
    workshop = make_workshop(capacity=1)
    rivals = lines_for(workshop, 2)
    assert thousand_races(rivals, handler.reserve, handler.release) == {1}


@pytest.mark.slow
def test_counting_before_inserting_oversells_in_the_same_thousand_races():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE naive_registration (workshop_id bigint, line_id bigint)")
    try:
        sold = thousand_races([1, 2], hold_naively, free_naively)
        assert max(sold) > 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE naive_registration")


def thousand_races(rivals, hold, free):
    """Let the rivals race for one place a thousand times, one connection each; return the numbers of winners seen."""
    met, won = threading.Barrier(len(rivals)), [[] for _ in rivals]

    def run(position):
        try:
            for _ in range(1_000):
                met.wait(timeout=30)
                try:
                    hold(rivals[position], in_half_an_hour())
                except SoldOut:
                    won[position].append(0)
                else:
                    won[position].append(1)
                met.wait(timeout=30)
                free(rivals[position])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(rivals)) as pool:
        list(pool.map(run, range(len(rivals))))
    return {sum(race) for race in zip(*won, strict=True)}


def hold_naively(line_id, until):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM naive_registration")
        if cursor.fetchone()[0]:
            raise SoldOut
        cursor.execute("INSERT INTO naive_registration VALUES (1, %s)", [line_id])


def free_naively(line_id):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM naive_registration WHERE line_id = %s", [line_id])


def test_lines_of_several_places_get_all_or_none_in_a_race():
    workshop = make_workshop(capacity=PLACES)
    sold = race(try_to_reserve, lines_for(workshop, 60, quantity=3))
    assert sum(sold) == 18
    assert Registration.objects.count() == 18


def test_released_places_are_sold_again_without_overselling():
    workshop = make_workshop(capacity=5)

    def reserve_then_release_or_fulfil(line):
        if not try_to_reserve(line):
            return 0
        if line.id % 3:
            handler.release(line)
            return 0
        handler.fulfil(line)
        return 1

    lines = lines_for(workshop, 160)
    delivered = sum(race(reserve_then_release_or_fulfil, lines[:150]))
    assert delivered == Registration.objects.filter(state="confirmed").count() <= 5
    assert not Registration.objects.filter(state="held").exists()
    # Buyers who were refused while others held the places get nothing later; new buyers get the released places.
    assert sum(try_to_reserve(line) for line in lines[150:]) == 5 - delivered
    assert Listing.objects.get(reference=str(workshop.pk)).is_sold_out


@pytest.mark.parametrize("_round", range(10))
def test_a_hold_that_lapses_while_being_paid_goes_to_exactly_one_of_two_buyers(_round):
    """The session expires, another buyer checks out, and the payment completes, all at the same moment."""
    workshop = make_workshop(capacity=1)
    paying, waiting = lines_for(workshop, 2)
    handler.reserve(paying, timezone.now() - timedelta(milliseconds=1))

    def act(what):
        try:
            what()
        except (CannotDeliver, SoldOut) as error:
            return type(error)
        return None

    refused = race(
        act,
        [
            lambda: handler.fulfil(paying),
            lambda: handler.release(paying),
            lambda: handler.reserve(waiting, in_half_an_hour()),
        ],
    )
    live = Registration.objects.live().get()
    if live.order_line_id == paying.id:
        assert live.state == "confirmed"
        assert refused[0] is None
        assert refused[2] is SoldOut
    else:
        assert live.state == "held"
        assert refused[0] is CannotDeliver
        assert refused[2] is None


def test_a_line_delivered_from_many_threads_takes_its_places_once():
    workshop = make_workshop()
    line = make_line(workshop, quantity=2)
    handler.reserve(line, in_half_an_hour())
    race(lambda _: handler.fulfil(line), range(20))
    assert Registration.objects.filter(state="confirmed").count() == 2


def test_reducing_the_capacity_and_selling_the_last_place_cannot_both_succeed():
    """Raw SQL on both sides, without our lock: the triggers meet on the workshop's row."""
    workshop = make_workshop(capacity=2)
    buyer_id = UserFactory().pk
    now = timezone.now()

    def take_second_seat():
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO workshops_registration (workshop_id, buyer_id, participant_name, participant_email,"
                " order_line_id, order_number, position, seat, state, code, created_at, revoked_reason)"
                " VALUES (%s, %s, 'X', '', 1, '', 0, 2, 'confirmed', 'X', %s, '')",
                [workshop.pk, buyer_id, now],
            )

    def cut():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE workshops_workshop SET capacity = 1 WHERE id = %s", [workshop.pk])

    def act(what):
        try:
            what()
        except IntegrityError as error:
            return error
        return None

    refused = [error for error in race(act, [take_second_seat, cut]) if error]
    assert len(refused) == 1
    assert "seat 2 does not exist" in str(refused[0]) or "seats taken beyond 1" in str(refused[0])
