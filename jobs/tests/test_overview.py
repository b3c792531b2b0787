"""The figures staff see."""

from datetime import timedelta

from django.db.models.functions import Now

from jobs import overview, registry, runner, tasks
from jobs.models import DurableWork
from jobs.tests.chores.models import Chore


def the_kind(monkeypatch):
    monkeypatch.setattr(registry, "work_models", lambda: [Chore])
    (kind,) = overview.kinds_of_work()
    return kind


def test_unfinished_work_is_counted_by_state(chores, monkeypatch):
    chores.bulk_create([Chore(), Chore(), Chore(state="parked"), Chore(state="done")])
    runner.claim(Chore, limit=1)
    kind = the_kind(monkeypatch)
    assert (kind.waiting, kind.running, kind.parked) == (1, 1, 1)


def test_work_that_has_been_due_for_long_is_late(chores, monkeypatch):
    chore = chores.create()
    assert not the_kind(monkeypatch).is_late
    Chore.objects.filter(pk=chore.pk).update(run_after=Now() - timedelta(minutes=5))
    kind = the_kind(monkeypatch)
    assert kind.is_late
    assert timedelta(minutes=4) < kind.oldest_due < timedelta(minutes=6)


def test_work_for_later_and_parked_work_is_not_late(chores, monkeypatch):
    chores.create(run_after=Now() + timedelta(hours=1))
    chores.create(state=DurableWork.State.PARKED, run_after=Now() - timedelta(hours=1))
    kind = the_kind(monkeypatch)
    assert kind.oldest_due is None
    assert not kind.is_late


def test_a_sweep_shows_that_beat_and_workers_live(chores):
    assert overview.sweep_is_missing()
    tasks.sweep()
    assert not overview.sweep_is_missing()
