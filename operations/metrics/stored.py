"""What is in the database at the moment of asking: queues, heartbeats, recent orders and money, connections.

Every host answers the same here, so rules take the maximum over hosts, not the sum. Statements use indexes of what is
unfinished or recent, never a whole table, and are ended after two seconds: Prometheus must not slow the site down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Min, Q
from django.db.models.functions import Extract, Now
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from jobs.models import DurableWork, Heartbeat
from jobs.registry import work_models
from operations.metrics.recent import recent_money

log = structlog.get_logger(__name__)

_LIMIT = "SET LOCAL statement_timeout = '2s'"
_UNFINISHED = [DurableWork.State.WAITING, DurableWork.State.RUNNING]
_CONNECTIONS = """
    SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend' GROUP BY 1
"""


class StoredMetrics(Collector):
    """Reads the database once for each scrape."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield all metrics; only `lectern_database_up`, which is 0, if the database cannot answer."""
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(_LIMIT)
                families = [*_queues(), _heartbeats(), *recent_money(), *_connections()]
        except DatabaseError as error:
            log.warning("metrics_not_read", problem=type(error).__name__)
            yield _one("lectern_database_up", "Whether the database answered.", 0)
            return
        yield _one("lectern_database_up", "Whether the database answered.", 1)
        yield from families


def _queues() -> Iterable[GaugeMetricFamily]:
    """Unfinished work of each kind. Parked work is not counted, since no index holds it: its attempts are."""
    length = GaugeMetricFamily("lectern_queue_length", "Unfinished work.", labels=["kind", "queue", "state"])
    age = GaugeMetricFamily(
        "lectern_queue_age_seconds", "How long the oldest work has been due.", labels=["kind", "queue"]
    )
    for model in work_models():
        due = Q(run_after__lte=Now())
        row = model._default_manager.filter(state__in=_UNFINISHED, **model.lane).aggregate(
            due=Count("pk", filter=due),
            later=Count("pk", filter=Q(state=DurableWork.State.WAITING, run_after__gt=Now())),
            running=Count("pk", filter=Q(state=DurableWork.State.RUNNING, run_after__gt=Now())),
            age=Extract(Now() - Min("run_after", filter=due), "epoch"),
        )
        for state in ("due", "later", "running"):
            length.add_metric([model._meta.label, model.queue, state], row[state])
        age.add_metric([model._meta.label, model.queue], max(float(row["age"] or 0), 0))
    return length, age


def _heartbeats() -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "lectern_heartbeat_age_seconds", "How long ago a periodic task last ran.", labels=["name"]
    )
    rows = Heartbeat.objects.annotate(age=Extract(Now() - Min("seen_at"), "epoch")).values_list("name", "age")
    for name, age in rows:
        family.add_metric([name], max(float(age), 0))
    return family


def _connections() -> Iterable[GaugeMetricFamily]:
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTIONS)
        by_state = GaugeMetricFamily("lectern_database_connections", "Connections to this database.", labels=["state"])
        for state, count in cursor.fetchall():
            by_state.add_metric([state.replace(" ", "_").replace("(", "").replace(")", "")], count)
        cursor.execute("SELECT current_setting('max_connections')::int")
        (most,) = cursor.fetchone()
    return by_state, _one("lectern_database_connections_limit", "The most that the server accepts.", most)


def _one(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)
