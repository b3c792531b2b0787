"""Claiming, outcomes, and the fence that keeps an overtaken worker from recording one."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from jobs import runner
from jobs.models import ClaimLost, DurableWork
from jobs.tests.chores.models import Chore

State = DurableWork.State


def claim_one():
    (chore,) = runner.claim(Chore, limit=1)
    return chore


def make_due():
    Chore.objects.filter(state="waiting").update(run_after=Now() - timedelta(seconds=1))


def test_success_is_recorded_with_the_effect(chores):
    chore = chores.create()
    assert runner.drain(Chore, seconds=5) == 1
    chore.refresh_from_db()
    assert (chore.state, chore.effects, chore.attempts) == (State.DONE, 1, 1)
    assert chore.finished_at is not None


def test_work_that_does_not_mark_itself_done_is_marked_by_the_runner(chores):
    chore = chores.create(order="leave_marking_to_the_runner")
    runner.drain(Chore, seconds=5)
    chore.refresh_from_db()
    assert (chore.state, chore.effects) == (State.DONE, 1)


def test_done_rows_are_not_claimed_again(chores):
    chores.create()
    runner.drain(Chore, seconds=5)
    assert runner.claim(Chore, limit=10) == []


def test_claim_takes_at_most_its_limit_by_priority_then_age(chores):
    late = chores.create(priority=5)
    chores.create(run_after=timezone.now() - timedelta(minutes=1))
    chores.create(run_after=timezone.now() - timedelta(minutes=2))
    urgent = chores.create(priority=-1)
    claimed = runner.claim(Chore, limit=3)
    assert claimed[0].pk == urgent.pk
    assert len(claimed) == 3
    assert late.pk not in {chore.pk for chore in claimed}


def test_a_claim_does_not_wait_for_the_disk_and_what_follows_does(committed_chores):
    def waits_for_the_disk():
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            return cursor.fetchone() == ("on",)

    for _ in range(2):
        committed_chores.create()
    with transaction.atomic():
        runner.claim(Chore, limit=1)
        assert not waits_for_the_disk()
    runner.claim(Chore, limit=1)
    assert waits_for_the_disk()


def test_work_that_is_not_due_yet_is_left(chores):
    chores.create(run_after=timezone.now() + timedelta(minutes=1))
    assert runner.drain(Chore, seconds=5) == 0


def test_a_failure_waits_longer_each_time_and_is_parked_after_the_last_attempt(chores):
    chore = chores.create(order="fail")
    waits = []
    for _ in range(Chore.max_attempts):
        make_due()
        runner.drain(Chore, seconds=5)
        chore.refresh_from_db()
        waits.append((chore.run_after - timezone.now()).total_seconds())
    assert 1 < waits[0] < 2.6 < waits[1] < 5.1
    assert (chore.state, chore.attempts, chore.told_staff) == (State.PARKED, 3, 1)
    assert "ValueError: no luck" in chore.last_error
    assert "\x00" not in chore.last_error


def test_a_failing_row_does_not_keep_others_from_being_done(chores):
    chores.create(order="fail", priority=-1)
    other = chores.create()
    assert runner.drain(Chore, seconds=5) == 2
    other.refresh_from_db()
    assert other.state == State.DONE


def test_hopeless_work_is_parked_at_once(chores):
    chore = chores.create(order="refuse")
    runner.drain(Chore, seconds=5)
    chore.refresh_from_db()
    assert (chore.state, chore.last_error, chore.told_staff) == (State.PARKED, "never possible", 1)


def test_a_mistake_in_alerting_staff_still_parks_the_row(chores):
    chore = chores.create(order="fail_to_tell", attempts=2)
    runner.drain(Chore, seconds=5)
    chore.refresh_from_db()
    assert chore.state == State.PARKED


def test_postponed_work_comes_back_later_and_costs_no_attempt(chores):
    chore = chores.create(order="postpone")
    runner.drain(Chore, seconds=5)
    chore.refresh_from_db()
    assert (chore.state, chore.attempts, chore.last_error) == (State.WAITING, 0, "too early")
    assert timedelta(minutes=4) < chore.run_after - timezone.now() <= timedelta(minutes=5)


def test_work_that_is_always_too_early_is_parked_in_the_end_with_an_alert(chores):
    chore = chores.create(order="postpone")
    for _ in range(Chore.max_postponements):
        runner.drain(Chore, seconds=5)
        make_due()
    chore.refresh_from_db()
    assert (chore.state, chore.postponements, chore.told_staff) == (State.WAITING, Chore.max_postponements, 0)
    runner.drain(Chore, seconds=5)
    chore.refresh_from_db()
    assert (chore.state, chore.told_staff) == (State.PARKED, 1)
    assert chore.last_error == "Too early 3 times: too early"


def test_work_that_staff_retry_may_be_postponed_as_often_as_before(chores):
    chore = chores.create(order="postpone", postponements=Chore.max_postponements)
    runner.drain(Chore, seconds=5)
    chore.retry_now()
    runner.drain(Chore, seconds=5)
    chore.refresh_from_db()
    assert (chore.state, chore.postponements) == (State.WAITING, 1)


def test_work_that_takes_its_worker_down_every_time_is_parked(chores, let_leases_end):
    chore = chores.create()
    for _ in range(Chore.max_attempts):
        claim_one()  # and the worker is killed: nothing is recorded
        let_leases_end()
    runner.drain(Chore, seconds=5)
    chore.refresh_from_db()
    assert (chore.state, chore.effects) == (State.PARKED, 0)
    assert "lost in each of 3 attempts" in chore.last_error


def test_a_killed_workers_row_is_left_alone_until_its_lease_ends(chores, let_leases_end):
    chore = chores.create()
    claim_one()
    assert runner.drain(Chore, seconds=5) == 0
    let_leases_end()
    assert runner.drain(Chore, seconds=5) == 1
    chore.refresh_from_db()
    assert (chore.state, chore.attempts) == (State.DONE, 2)


@pytest.mark.parametrize("outcome", ["mark_done", "mark_failed", "mark_postponed", "mark_parked"])
def test_an_overtaken_worker_cannot_record_any_outcome(chores, let_leases_end, outcome):
    chores.create()
    overtaken = claim_one()
    let_leases_end()
    latest = claim_one()
    arguments = {"mark_failed": ["x"], "mark_postponed": ["x", timedelta(0)], "mark_parked": ["x"]}.get(outcome, [])
    with pytest.raises(ClaimLost):
        getattr(overtaken, outcome)(*arguments)
    latest.mark_done()


def test_an_overtaken_workers_effect_is_rolled_back(chores, let_leases_end):
    chore = chores.create()
    overtaken = claim_one()
    let_leases_end()
    runner.run(claim_one())
    runner.run(overtaken)
    chore.refresh_from_db()
    assert (chore.state, chore.effects) == (State.DONE, 1)


def test_a_worker_overtaken_before_a_retry_by_hand_cannot_record_for_the_new_run(chores, let_leases_end):
    chores.create(order="refuse")
    overtaken = claim_one()
    let_leases_end()
    runner.run(claim_one())
    Chore.objects.get().retry_now()
    latest = claim_one()
    assert latest.attempts == overtaken.attempts
    with pytest.raises(ClaimLost):
        overtaken.mark_failed("late")


def test_work_that_was_never_claimed_cannot_be_marked_done(chores):
    with pytest.raises(ClaimLost):
        chores.create().mark_done()


def test_retry_now_gives_fresh_attempts_and_wakes_a_worker(chores, wakes, django_capture_on_commit_callbacks):
    chore = chores.create(order="refuse")
    runner.drain(Chore, seconds=5)
    with django_capture_on_commit_callbacks(execute=True):
        assert chore.retry_now()
    chore.refresh_from_db()
    assert (chore.state, chore.attempts, chore.finished_at) == (State.WAITING, 0, None)
    assert wakes == [Chore]


def test_retry_now_leaves_a_run_under_way_alone(chores):
    chore = chores.create()
    running_one = claim_one()
    assert not chore.retry_now()
    running_one.mark_done()


def test_parking_by_hand_stops_a_run_under_way_from_taking_effect(chores):
    chore = chores.create()
    running_one = claim_one()
    assert chore.park_now("parked by Ada")
    runner.run(running_one)
    chore.refresh_from_db()
    assert (chore.state, chore.effects, chore.last_error) == (State.PARKED, 0, "parked by Ada")


def test_parking_by_hand_leaves_finished_work_alone(chores):
    chore = chores.create()
    runner.drain(Chore, seconds=5)
    assert not chore.park_now("too late")


def test_new_work_wakes_a_worker_after_commit_only(chores, wakes, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        chore = chores.create()
        assert wakes == []
    assert wakes == [Chore]
    with django_capture_on_commit_callbacks(execute=True):
        chore.save()
    assert wakes == [Chore]


def test_many_workers_at_once_do_each_row_exactly_once(committed_chores):
    committed_chores.bulk_create([Chore(order="succeed") for _ in range(60)])
    in_parallel(6, lambda: runner.drain(Chore, seconds=10))
    assert list(committed_chores.values_list("effects", "started", "state").distinct()) == [(1, 1, State.DONE)]


def test_a_message_delivered_again_while_its_row_runs_does_nothing(committed_chores):
    committed_chores.create(order="take_a_second")
    counts = in_parallel(2, lambda: runner.drain(Chore, seconds=3))
    assert sorted(counts) == [0, 1]
    assert committed_chores.values_list("effects", "started").get() == (1, 1)


def test_a_lost_database_ends_the_drain_and_the_next_one_has_a_fresh_connection(committed_chores, let_leases_end):
    chore = committed_chores.create(order="lose_the_database")
    assert runner.drain(Chore, seconds=5) == 0
    Chore.objects.update(order="succeed")
    chore.refresh_from_db()
    assert (chore.state, chore.effects) == (State.RUNNING, 0)
    let_leases_end()
    assert runner.drain(Chore, seconds=5) == 1


def in_parallel(count, work):
    results, barrier = [], threading.Barrier(count)

    def one():
        try:
            barrier.wait(5)
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == count
    return results
