"""Places are held, confirmed, released and revoked; lapsed holds are recycled."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from catalogue.models import Listing
from notifications.models import Mail
from payments.contracts import CannotDeliver, SoldOut
from workshops.handler import WorkshopHandler
from workshops.models import Registration
from workshops.tests.factories import in_half_an_hour, make_line, make_workshop

pytestmark = pytest.mark.django_db
handler = WorkshopHandler()


def states_of(line):
    places = Registration.objects.filter(order_line_id=line.id).order_by("position")
    return list(places.values_list("state", flat=True))


def listing_is_sold_out(workshop):
    return Listing.objects.get(domain="workshops", reference=str(workshop.pk)).is_sold_out


def test_each_place_of_a_line_gets_its_own_seat_and_code():
    workshop = make_workshop(capacity=5)
    handler.reserve(make_line(workshop, quantity=3), in_half_an_hour())
    places = list(Registration.objects.all())
    assert sorted(place.seat for place in places) == [1, 2, 3]
    assert len({place.code for place in places}) == 3
    assert {place.state for place in places} == {"held"}


def test_several_places_are_held_all_or_none_and_the_message_says_how_many_are_left():
    workshop = make_workshop(capacity=5)
    handler.reserve(make_line(workshop, quantity=3), in_half_an_hour())
    with pytest.raises(SoldOut, match="only 2 places left, and you asked for 3"):
        handler.reserve(make_line(workshop, quantity=3), in_half_an_hour())
    assert Registration.objects.count() == 3
    handler.reserve(make_line(workshop, quantity=2), in_half_an_hour())
    with pytest.raises(SoldOut, match="is sold out"):
        handler.reserve(make_line(workshop), in_half_an_hour())


def test_the_message_for_one_place_left_is_in_the_singular():
    workshop = make_workshop(capacity=1)
    with pytest.raises(SoldOut, match="only 1 place left, and you asked for 2"):
        handler.reserve(make_line(workshop, quantity=2), in_half_an_hour())


def test_reserving_again_extends_the_hold_and_takes_no_more_seats():
    """Payments does this while a bank debit is pending: the hold must outlast the checkout session."""
    workshop = make_workshop(capacity=2)
    line = make_line(workshop)
    handler.reserve(line, in_half_an_hour())
    later = timezone.now() + timedelta(days=5)
    handler.reserve(line, later)
    place = Registration.objects.get()
    assert place.held_until == later


def test_reserving_after_delivery_keeps_the_place_confirmed():
    line = make_line(make_workshop())
    handler.reserve(line, in_half_an_hour())
    handler.fulfil(line)
    handler.reserve(line, in_half_an_hour())
    assert states_of(line) == ["confirmed"]


def test_an_unknown_workshop_cannot_be_reserved_or_delivered():
    workshop = make_workshop()
    line = make_line(workshop)
    workshop.delete()
    with pytest.raises(SoldOut):
        handler.reserve(line, in_half_an_hour())
    with pytest.raises(CannotDeliver):
        handler.fulfil(line)
    handler.release(line)
    handler.revoke(line, line.quantity, "refund")


def test_a_lapsed_hold_is_recycled_by_the_next_buyer():
    workshop = make_workshop(capacity=1)
    lapsed, next_line = make_line(workshop), make_line(workshop)
    handler.reserve(lapsed, timezone.now() + timedelta(minutes=30))
    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=False):
        handler.reserve(next_line, in_half_an_hour())
    assert states_of(lapsed) == ["released"]
    assert states_of(next_line) == ["held"]


def test_a_lapsed_hold_is_delivered_if_its_seat_is_free():
    workshop = make_workshop(capacity=1)
    line = make_line(workshop)
    handler.reserve(line, in_half_an_hour())
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        handler.fulfil(line)
    assert states_of(line) == ["confirmed"]


def test_a_released_hold_is_taken_again_if_free():
    workshop = make_workshop(capacity=2)
    line, other = make_line(workshop), make_line(workshop)
    handler.reserve(line, in_half_an_hour())
    handler.release(line)
    handler.reserve(other, in_half_an_hour())
    handler.fulfil(line)
    assert states_of(line) == ["confirmed"]
    assert set(Registration.objects.values_list("seat", flat=True)) == {1, 2}


def test_a_lapsed_hold_taken_by_another_buyer_cannot_be_delivered():
    workshop = make_workshop(capacity=1)
    line, other = make_line(workshop), make_line(workshop)
    handler.reserve(line, in_half_an_hour())
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        handler.reserve(other, in_half_an_hour())
        with pytest.raises(CannotDeliver, match="another buyer had taken the place"):
            handler.fulfil(line)
    assert states_of(line) == ["released"]
    assert states_of(other) == ["held"]


def test_several_lapsed_places_are_taken_again_all_or_none():
    workshop = make_workshop(capacity=3)
    line, other = make_line(workshop, quantity=2), make_line(workshop, quantity=2)
    handler.reserve(line, in_half_an_hour())
    handler.release(line)
    handler.reserve(other, in_half_an_hour())
    with pytest.raises(CannotDeliver):
        handler.fulfil(line)
    assert states_of(line) == ["released", "released"]


def test_a_line_that_was_never_held_is_delivered_while_places_are_left():
    line = make_line(make_workshop(), quantity=2)
    handler.fulfil(line)
    assert states_of(line) == ["confirmed", "confirmed"]


def test_delivering_twice_has_the_effect_of_once():
    line = make_line(make_workshop(), quantity=2)
    handler.reserve(line, in_half_an_hour())
    handler.fulfil(line)
    before = list(Registration.objects.order_by("pk").values())
    handler.fulfil(line)
    assert list(Registration.objects.order_by("pk").values()) == before


def test_release_frees_a_hold_once_and_never_a_confirmed_place():
    workshop = make_workshop()
    held, paid = make_line(workshop), make_line(workshop)
    for line in (held, paid):
        handler.reserve(line, in_half_an_hour())
    handler.fulfil(paid)
    for _ in range(2):
        handler.release(held)
        handler.release(paid)
    assert states_of(held) == ["released"]
    assert states_of(paid) == ["confirmed"]


def test_a_revoked_place_is_free_for_others_and_stays_revoked():
    workshop = make_workshop(capacity=1)
    line, other = make_line(workshop), make_line(workshop)
    handler.reserve(line, in_half_an_hour())
    handler.fulfil(line)
    for _ in range(2):
        handler.revoke(line, line.quantity, "refund")
    handler.reserve(other, in_half_an_hour())
    handler.release(line)
    handler.fulfil(line)
    assert states_of(line) == ["revoked"]
    assert states_of(other) == ["held"]


def test_a_payment_event_after_an_automatic_refund_delivers_nothing():
    workshop = make_workshop(capacity=1)
    line = make_line(workshop)
    handler.reserve(line, in_half_an_hour())
    handler.release(line)
    handler.revoke(line, line.quantity, "refunded: sold out")
    handler.fulfil(line)
    assert states_of(line) == ["revoked"]
    assert not Mail.objects.exists()


def test_a_payment_after_the_workshop_ended_is_not_delivered():
    line = make_line(make_workshop(starts_in=timedelta(days=1)))
    handler.reserve(line, timezone.now() + timedelta(days=10))
    with (
        time_machine.travel(timezone.now() + timedelta(days=3), tick=False),
        pytest.raises(CannotDeliver, match="ended"),
    ):
        handler.fulfil(line)


def test_the_catalogue_shows_sold_out_only_while_all_places_are_taken():
    workshop = make_workshop(capacity=2)
    line = make_line(workshop, quantity=2)
    assert not listing_is_sold_out(workshop)
    handler.reserve(line, in_half_an_hour())
    assert listing_is_sold_out(workshop)
    handler.release(line)
    assert not listing_is_sold_out(workshop)
    handler.fulfil(line)
    assert listing_is_sold_out(workshop)
    handler.revoke(line, line.quantity, "refund")
    assert not listing_is_sold_out(workshop)


def test_the_listing_is_written_only_when_sold_out_changes(django_assert_num_queries):
    workshop = make_workshop(capacity=3)
    with CapturedSql() as first:
        handler.reserve(make_line(workshop), in_half_an_hour())
    assert not first.naming("catalogue_listing")
    with CapturedSql() as last:
        handler.reserve(make_line(workshop, quantity=2), in_half_an_hour())
    assert len(last.naming("catalogue_listing")) == 1


class CapturedSql:
    def __enter__(self):
        from django.test.utils import CaptureQueriesContext

        self.queries = CaptureQueriesContext(connection)
        self.queries.__enter__()
        return self

    def __exit__(self, *args):
        self.queries.__exit__(*args)

    def naming(self, table):
        return [query["sql"] for query in self.queries.captured_queries if f'"{table}"' in query["sql"]]


# --- Constraints and triggers of the database ----------------------------------------------------------------------
def insert_registration(workshop, *, seat, state="confirmed", line_id=1, buyer=None):
    buyer_id = make_line(workshop).buyer_id
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO workshops_registration (workshop_id, buyer_id, participant_name, participant_email,"
            " order_line_id, order_number, position, seat, state, held_until, code, created_at, revoked_reason)"
            " VALUES (%s, %s, 'X', '', %s, '', 0, %s, %s, now(), %s, now(), '')",
            [workshop.pk, buyer_id, line_id, seat, state, f"C{line_id}"],
        )


def test_the_database_refuses_a_seat_beyond_the_capacity():
    workshop = make_workshop(capacity=20)
    insert_registration(workshop, seat=20, line_id=1)
    with pytest.raises(IntegrityError, match="seat 21 does not exist"):
        insert_registration(workshop, seat=21, line_id=2)
    with pytest.raises(IntegrityError, match="registration_seat_from_one"):
        insert_registration(workshop, seat=0, line_id=3)


def test_the_database_refuses_a_seat_that_is_taken():
    workshop = make_workshop()
    insert_registration(workshop, seat=7, line_id=1)
    with pytest.raises(IntegrityError, match="registration_seat_taken_once"):
        insert_registration(workshop, seat=7, line_id=2, state="held")
    insert_registration(workshop, seat=7, line_id=3, state="released")


def test_the_database_refuses_to_restore_a_place_beyond_the_capacity():
    workshop = make_workshop(capacity=3)
    insert_registration(workshop, seat=9, line_id=1, state="released")
    with pytest.raises(IntegrityError, match="seat 9 does not exist"), transaction.atomic():
        Registration.objects.update(state="confirmed")


def test_the_database_refuses_a_capacity_below_taken_seats():
    workshop = make_workshop(capacity=20)
    insert_registration(workshop, seat=12)
    with pytest.raises(IntegrityError, match="seats taken beyond 11"), transaction.atomic():
        type(workshop).objects.update(capacity=11)
    type(workshop).objects.update(capacity=12)
