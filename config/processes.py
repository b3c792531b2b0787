"""The variables for the numbers of processes and threads, for gunicorn and for the Procfile."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from config.environment import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """The processes and threads of the web server, and its port."""

    port: int
    web_processes: int
    web_threads: int


def read_processes(env: Environment) -> Processes:
    """Read every count. Raises InvalidVariable.

    The shell passes the workers' counts to Celery. They are checked here, since Celery would accept -1.
    """
    for name, default in (
        ("WORKER_CONCURRENCY", 4),
        ("STRIPE_CONCURRENCY", 2),
        ("WEBHOOKS_CONCURRENCY", 4),
        ("BACKGROUND_CONCURRENCY", 2),
    ):
        env.count(name, default=default, least=1, most=256)
    return Processes(
        port=env.count("PORT", default=8000, least=1, most=65_535),
        web_processes=env.count("WEB_CONCURRENCY", default=2, least=1, most=256),
        web_threads=env.count("WEB_THREADS", default=4, least=1, most=256),
    )


def share_counters(folder: str) -> None:
    """Let the processes of this machine share the counters of their metrics in `folder`.

    prometheus_client reads this variable once, when it is imported, so it must be set before.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
