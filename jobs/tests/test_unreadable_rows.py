"""A row that PostgreSQL stores but Python cannot load is parked, and no other row waits for it."""

import pytest
from django.db import connection

from jobs import runner
from jobs.models import DurableWork
from jobs.tests.chores.models import Chore

State = DurableWork.State
# Values that a column can hold but Python cannot load: more digits than int reads, nesting beyond the stack, a date
# after the year 9999.
POISON = {
    "digits": ("notes", "'{\"n\": 1e5000}'"),
    "nesting": ("notes", "(repeat('[', 3000) || repeat(']', 3000))::jsonb"),
    "moment": ("noted_at", "'infinity'"),
}


def poison(chore, kind):
    column, value = POISON[kind]
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE chores_chore SET {column} = {value} WHERE id = %s", [chore.pk])


@pytest.mark.parametrize("kind", POISON)
def test_a_row_that_cannot_be_loaded_is_parked_with_an_alert_and_the_others_are_done(chores, kind):
    unreadable, other = chores.create(priority=-1), chores.create()
    poison(unreadable, kind)
    assert runner.drain(Chore, seconds=5) == 2
    row = (
        Chore.objects.filter(pk=unreadable.pk).values("state", "told_staff", "effects", "attempts", "last_error").get()
    )
    assert (row["state"], row["told_staff"], row["effects"], row["attempts"]) == (State.PARKED, 1, 0, 1)
    assert "cannot be loaded" in row["last_error"]
    other.refresh_from_db()
    assert other.state == State.DONE


def test_a_row_that_cannot_be_loaded_can_be_retried_once_it_was_mended(chores):
    chore = chores.create()
    poison(chore, "digits")
    runner.drain(Chore, seconds=5)
    Chore.objects.update(notes={})
    chore.refresh_from_db()
    assert chore.retry_now()
    runner.drain(Chore, seconds=5)
    chore.refresh_from_db()
    assert (chore.state, chore.effects) == (State.DONE, 1)


def test_a_claim_of_several_leaves_out_only_the_unreadable_one(chores):
    first, unreadable, last = (chores.create() for _ in range(3))
    poison(unreadable, "nesting")
    assert {chore.pk for chore in runner.claim(Chore, limit=3)} == {first.pk, last.pk}


def test_the_highest_number_of_attempts_is_no_end_of_claiming(chores):
    counted_up, other = chores.create(attempts=32_767, priority=-1), chores.create()
    assert runner.drain(Chore, seconds=5) == 2
    counted_up.refresh_from_db()
    other.refresh_from_db()
    assert (counted_up.state, counted_up.attempts, other.state) == (State.PARKED, 32_767, State.DONE)


def test_an_error_that_cannot_be_encoded_is_recorded_all_the_same(chores):
    chore = chores.create(order="fail_with_half_a_character")
    assert runner.drain(Chore, seconds=5) == 1
    chore.refresh_from_db()
    assert (chore.state, chore.attempts) == (State.WAITING, 1)
    assert "\\ud83d" in chore.last_error


def test_an_endless_error_is_recorded_with_its_end(chores):
    chore = chores.create(order="fail_at_length")
    assert runner.drain(Chore, seconds=5) == 1
    chore.refresh_from_db()
    assert len(chore.last_error) <= 20_000
    assert chore.last_error.strip().endswith("the end")
