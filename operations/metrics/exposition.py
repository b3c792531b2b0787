"""All metrics of this machine in Prometheus' text format."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from operations.metrics.files import reading
from operations.metrics.stored import StoredMetrics


def all_metrics() -> bytes:
    """What all processes of this machine counted, and what the database holds now."""
    stored = CollectorRegistry(auto_describe=False)
    stored.register(StoredMetrics())
    return _counted() + generate_latest(stored)


def _counted() -> bytes:
    if not settings.METRICS_FOLDER:
        # One process, as in development and in tests.
        return generate_latest(REGISTRY)
    folder = Path(settings.METRICS_FOLDER)
    with reading(folder):
        shared = CollectorRegistry()
        MultiProcessCollector(shared, path=str(folder))  # it registers itself
        return generate_latest(shared)
