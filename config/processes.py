"""The variables that say how many processes and threads do the work, for gunicorn and for the Procfile."""

from __future__ import annotations

from dataclasses import dataclass

from config.environment import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """How one machine shares out its work."""

    port: int
    web_processes: int
    web_threads: int


def read_processes(env: Environment) -> Processes:
    """Read every count. Raises InvalidVariable.

    The shell hands the workers' counts to Celery; they are checked here, since Celery would take -1 for an answer.
    """
    for name, default in (("WORKER_CONCURRENCY", 4), ("STRIPE_CONCURRENCY", 2), ("BACKGROUND_CONCURRENCY", 2)):
        env.count(name, default=default, least=1, most=256)
    return Processes(
        port=env.count("PORT", default=8000, least=1, most=65_535),
        web_processes=env.count("WEB_CONCURRENCY", default=2, least=1, most=256),
        web_threads=env.count("WEB_THREADS", default=4, least=1, most=256),
    )
