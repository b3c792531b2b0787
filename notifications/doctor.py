"""What is wrong with the site, and what to do about it, on one page: invariants, work, alerts, background processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.urls import NoReverseMatch, reverse

from jobs import heartbeats
from jobs.models import DurableWork
from jobs.overview import KindOfWork, kinds_of_work, sweep_is_missing
from notifications.invariant_alerts import check_invariants
from notifications.models import Alert

_ALERTS_AT_MOST = 50
_LINE_AT_MOST = 160
_INVARIANTS_ARE_CHECKED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One thing that is wrong, its particulars, and what to do."""

    section: str
    what: str
    detail: str
    advice: str


def examine() -> Iterator[Symptom]:
    """Everything that is wrong now, the worst first. Only reads."""
    yield from _broken_invariants()
    yield from _background()
    yield from _parked_work()
    yield from _open_alerts()


def _broken_invariants() -> Iterator[Symptom]:
    for checked in check_invariants():
        if checked.error:
            yield Symptom(
                section="Invariants",
                what=f"{checked.invariant.name} could not be checked",
                detail=checked.error,
                advice="Run migrations if tables are missing; otherwise look into the log for invariant_not_checked.",
            )
        elif checked.ids:
            yield Symptom(
                section="Invariants",
                what=f"Broken: {checked.invariant.promise}",
                detail=f"{checked.invariant.name}, ids {checked.some_ids}",
                advice=(
                    "Look at these rows in the admin. Change nothing by hand: `reconcile --fix` books what is missing,"
                    " and `ledger reverse` takes back a journal that should never have been written."
                ),
            )


def _background() -> Iterator[Symptom]:
    if sweep_is_missing():
        yield Symptom(
            section="Background",
            what="Beat or all workers are down",
            detail="No sweep for missed work has run for half a minute.",
            advice="Start `celery beat` and the workers (see the Procfile). No work is lost meanwhile.",
        )
    for kind in kinds_of_work():
        if kind.is_late:
            yield Symptom(
                section="Background",
                what=f"Work is late: {_name(kind)}",
                detail=f"Due for {kind.oldest_due}; {kind.waiting} waiting, {kind.running} running.",
                advice=f"Check that workers of the queue {kind.model.queue!r} are running, and add some if they are.",
            )
    checked_at = heartbeats.last_seen("notifications.check_invariants")
    if heartbeats.is_missing("notifications.check_invariants", within=2 * _INVARIANTS_ARE_CHECKED_EVERY):
        yield Symptom(
            section="Background",
            what="The hourly check of the invariants has not run",
            detail=f"Last run: {checked_at:%Y-%m-%d %H:%M} UTC." if checked_at else "It never ran.",
            advice="On a new site wait for an hour; otherwise check beat and the workers of the queue 'background'.",
        )


def _parked_work() -> Iterator[Symptom]:
    for kind in kinds_of_work():
        if not kind.parked:
            continue
        latest = (
            kind.model._default_manager.filter(state=DurableWork.State.PARKED, **kind.model.lane)
            .order_by("-finished_at")
            .values_list("pk", "last_error")
            .first()
        )
        pk, error = latest or (0, "")
        yield Symptom(
            section="Parked work",
            what=f"{kind.parked} parked: {_name(kind)}",
            detail=f"Latest {pk}: {error.strip().rpartition(chr(10))[2][:_LINE_AT_MOST]}",
            advice=f"Remove the cause, then retry in the admin: {_admin_path(kind.model)}?state__exact=parked",
        )


def _open_alerts() -> Iterator[Symptom]:
    alerts = Alert.objects.filter(cleared_at=None).order_by("-last_seen_at")
    for alert in alerts[:_ALERTS_AT_MOST]:
        detail = ", ".join(f"{name}: {value}" for name, value in sorted(alert.detail.items()) if value)
        yield Symptom(
            section="Open alerts",
            what=alert.title,
            detail=f"Since {alert.opened_at:%Y-%m-%d %H:%M} UTC, {alert.occurrences} times. {detail}"[
                : _LINE_AT_MOST * 2
            ],
            advice=f"See {reverse('admin:notifications_alert_change', args=[alert.pk])}",
        )
    left_out = alerts.count() - _ALERTS_AT_MOST
    if left_out > 0:
        yield Symptom(
            section="Open alerts",
            what=f"{left_out} more alerts",
            detail="Only the latest are shown here.",
            advice=f"See {reverse('admin:notifications_alert_changelist')}",
        )


def _name(kind: KindOfWork) -> str:
    return str(kind.model._meta.verbose_name_plural)


def _admin_path(model: type[DurableWork]) -> str:
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    except NoReverseMatch:  # a kind without a list of its own
        return reverse("admin:jobs_heartbeat_changelist")
