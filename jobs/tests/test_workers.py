"""Real workers and beat on a Redis that is flushed, stopped and started: work gets done without restarting them."""

import pytest

from jobs import messages
from jobs.models import DurableWork
from jobs.tests.chores.models import Chore
from jobs.tests.servers import wait_until

pytestmark = pytest.mark.slow

WORKER = ("worker", "-Q", "urgent,default,background", "--concurrency", "2", "--loglevel", "INFO")
BEAT = ("beat", "--loglevel", "INFO")


def is_done(chore):
    return Chore.objects.filter(pk=chore.pk, state=DurableWork.State.DONE).exists()


def ready(worker):
    wait_until(lambda: " ready." in worker.log, f"the worker is ready: {worker.log}", seconds=60)


def wake():
    messages.send_drain("chores.Chore", queue=Chore.queue, lease=Chore.lease)


def test_new_work_is_done_after_everything_in_redis_was_flushed(redis_server, start_celery, committed_chores):
    worker = start_celery(*WORKER)
    ready(worker)
    with redis_server.as_broker():
        first = committed_chores.create()
        wake()
        wait_until(lambda: is_done(first), "work is done")
        redis_server.client.flushall()
        second = committed_chores.create()
        wake()
        wait_until(lambda: is_done(second), f"work is done after the flush: {worker.log}")
    assert set(committed_chores.values_list("effects", flat=True)) == {1}


def test_work_whose_messages_were_flushed_is_found_and_done_once(redis_server, start_celery, committed_chores):
    with redis_server.as_broker():
        committed_chores.create()
        wake()
        redis_server.client.flushall()  # before a worker saw the message
        worker, beat = start_celery(*WORKER), start_celery(*BEAT)
        wait_until(lambda: not Chore.objects.exclude(state="done").exists(), f"it is done\n{worker.log}\n{beat.log}")
        for _ in range(30):
            committed_chores.create()
            wake()
            redis_server.client.flushall()  # while workers are busy
        wait_until(lambda: not Chore.objects.exclude(state="done").exists(), f"all is done\n{worker.log}\n{beat.log}")
    assert set(committed_chores.values_list("effects", "started")) == {(1, 1)}


def test_worker_and_beat_come_back_by_themselves_after_redis_was_away(redis_server, start_celery, committed_chores):
    worker = start_celery(*WORKER)
    beat = start_celery(*BEAT)
    ready(worker)
    redis_server.stop()
    chore = committed_chores.create()  # no worker can be woken
    wait_until(lambda: "Connection to broker lost" in worker.log, f"the worker notices: {worker.log}")
    redis_server.start()
    wait_until(lambda: is_done(chore), f"the sweep finds it\n{worker.log}\n{beat.log}")
    assert worker.process.poll() is None
    assert beat.process.poll() is None


def test_a_worker_outlives_redis_though_one_of_its_processes_is_at_work(redis_server, start_celery, committed_chores):
    worker = start_celery(*WORKER)
    ready(worker)
    with redis_server.as_broker():
        chore = committed_chores.create(order="take_a_second")
        wake()
        wait_until(lambda: Chore.objects.filter(state="running").exists(), "work has begun")
        redis_server.stop()
        wait_until(lambda: "Connection to broker lost" in worker.log, f"the worker notices: {worker.log}")
        redis_server.start()
        wait_until(lambda: is_done(chore), f"it is done all the same: {worker.log}")
        after = committed_chores.create()
        wake()
        wait_until(lambda: is_done(after), f"and so is what comes then: {worker.log}")
    assert worker.process.poll() is None
    assert set(committed_chores.values_list("effects", flat=True)) == {1}


def test_a_worker_process_killed_in_the_middle_leaves_its_row_to_come_back(
    redis_server, start_celery, committed_chores, let_leases_end
):
    worker = start_celery(*WORKER)
    ready(worker)
    with redis_server.as_broker():
        chore = committed_chores.create(order="die_once")
        wake()
        wait_until(lambda: "SIGKILL" in worker.log, f"the child dies: {worker.log}")
        assert not is_done(chore)
        let_leases_end()
        wake()
        wait_until(lambda: is_done(chore), f"another takes over: {worker.log}")
    chore.refresh_from_db()
    assert (chore.attempts, chore.effects) == (2, 1)


def test_a_whole_worker_killed_loses_nothing(redis_server, start_celery, committed_chores, let_leases_end):
    first_worker = start_celery(*WORKER)
    ready(first_worker)
    with redis_server.as_broker():
        committed_chores.bulk_create([Chore(order="take_a_second") for _ in range(4)])
        wake()
        wait_until(lambda: Chore.objects.filter(state="running").exists(), "work has begun")
        first_worker.kill()
        let_leases_end()
        ready(start_celery(*WORKER))
        wake()
        wait_until(lambda: not Chore.objects.exclude(state="done").exists(), "all is done")
    assert set(committed_chores.values_list("effects", flat=True)) == {1}
