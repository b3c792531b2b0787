"""The sweep, the drain task, turns and heartbeats."""

import threading
from datetime import timedelta

import pytest
from celery import current_app
from celery.beat import ScheduleEntry
from django.db import connection
from django.db.models.functions import Now
from django.utils.module_loading import autodiscover_modules

from jobs import beat, checks, heartbeats, messages, registry, runner, tasks
from jobs.models import DurableWork, Heartbeat
from jobs.tests.chores.models import Chore


def test_the_sweep_finds_due_work_that_no_worker_was_woken_for(chores, wakes):
    chores.bulk_create([Chore()])
    tasks.sweep()
    assert wakes == [Chore]


def test_the_sweep_finds_the_row_of_a_killed_worker(chores, wakes, let_leases_end):
    chores.bulk_create([Chore()])
    runner.claim(Chore, limit=1)
    let_leases_end()
    tasks.sweep()
    assert wakes == [Chore]


def test_the_sweep_wakes_no_worker_without_due_work(chores, wakes):
    chores.bulk_create([Chore(state=DurableWork.State.DONE), Chore(state=DurableWork.State.PARKED)])
    tasks.sweep()
    assert wakes == []


def test_two_clocks_sweep_once(chores, wakes):
    chores.bulk_create([Chore()])
    tasks.sweep()
    tasks.sweep()
    assert wakes == [Chore]


def test_the_sweep_leaves_a_heartbeat(chores):
    assert heartbeats.is_missing("jobs.sweep", within=timedelta(minutes=1))
    tasks.sweep()
    assert not heartbeats.is_missing("jobs.sweep", within=timedelta(minutes=1))
    assert heartbeats.last_seen("jobs.sweep") is not None


def test_a_heartbeat_grows_old(chores):
    tasks.sweep()
    Heartbeat.objects.update(seen_at=Now() - timedelta(minutes=2))
    assert heartbeats.is_missing("jobs.sweep", within=timedelta(minutes=1))
    assert heartbeats.take_turn(name="jobs.sweep", every=timedelta(minutes=1))


def test_of_many_who_want_a_turn_at_once_one_gets_it(committed_chores):
    answers, barrier = [], threading.Barrier(5)

    def ask():
        try:
            barrier.wait(5)
            answers.append(heartbeats.take_turn(name="reconcile", every=timedelta(hours=1)))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(answers) == [False, False, False, False, True]


def test_a_drain_calls_another_worker_to_help_with_a_long_queue(chores, wakes):
    chores.bulk_create([Chore(), Chore()])
    tasks.drain("chores.Chore")
    assert wakes == [Chore]
    assert chores.filter(state=DurableWork.State.DONE).count() == 2


def test_a_drain_hands_over_what_it_had_no_time_for(chores, wakes, monkeypatch):
    monkeypatch.setattr(tasks, "_SLICE_SECONDS", 0)
    chores.bulk_create([Chore()])
    tasks.drain("chores.Chore")
    assert wakes == [Chore]


@pytest.mark.parametrize("label", ["accounts.User", "nothing.Here", "x"])
def test_a_drain_does_only_what_is_durable_work(chores, label):
    with pytest.raises(LookupError):
        tasks.drain(label)


def test_celerys_limits_stop_a_run_before_its_lease_ends(monkeypatch):
    sent = {}
    monkeypatch.setattr(messages, "send", lambda *args, **options: sent.update(options))
    messages.send_drain("chores.Chore", queue=Chore.queue, lease=Chore.lease)
    lease = Chore.lease.total_seconds()
    assert tasks._SLICE_SECONDS < sent["soft_time_limit"] < sent["time_limit"] < lease


def test_a_lease_too_short_for_the_limits_and_a_queue_without_workers_are_reported(monkeypatch):
    monkeypatch.setattr(registry, "work_models", lambda: [Chore])
    assert checks.check_durable_work() == []
    monkeypatch.setattr(Chore, "lease", timedelta(seconds=19))
    monkeypatch.setattr(Chore, "queue", "slow")
    assert [error.id for error in checks.check_durable_work()] == ["jobs.E001", "jobs.E002"]


def test_beat_sends_what_the_schedule_says(monkeypatch):
    sent = []
    monkeypatch.setattr(beat, "send", lambda *args, **options: sent.append((args, options)))
    scheduler = beat.BoundedScheduler(app=current_app, lazy=True)
    entry = ScheduleEntry(
        name="a", task="payments.reconcile", schedule=60, args=(7,), options={"expires": 5}, app=current_app
    )
    scheduler.apply_async(entry, advance=False)
    assert sent == [(("payments.reconcile", (7,)), {"kwargs": {}, "queue": "default", "expires": 5})]


def test_every_scheduled_task_exists():
    autodiscover_modules("tasks")
    assert {entry["task"] for entry in current_app.conf.beat_schedule.values()} <= set(current_app.tasks)
