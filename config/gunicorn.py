"""gunicorn's configuration: a few processes with threads, replaced from time to time. Reads only the environment."""

import gc
import os
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from config.environment import read_environment
from config.logging import line_formatter
from config.processes import read_processes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
environment = read_environment(Path(__file__).resolve().parent.parent)
processes = read_processes(environment)
bind = f"0.0.0.0:{processes.port}"
workers = processes.web_processes
# Slow clients wait in its event loop instead of occupying threads.
worker_class = "config.web_worker.BufferingWorker"
threads = processes.web_threads
# Connections of one process; more are closed at once. Each may hold a body on the disk while it is received.
worker_connections = 1000
asgi_lifespan = "off"
# No request takes longer: calls to Stripe time out well before. A stuck process is ended and replaced.
timeout = 60
# Longer than any request, shorter than the half minute that most platforms wait before they kill a process.
graceful_timeout = 25
# Longer than the idle timeout of usual load balancers, which might otherwise use a connection that is being closed.
keepalive = 75
# Limits the effect of memory leaks. The jitter keeps processes from restarting at the same time.
max_requests = 2000
max_requests_jitter = 400
# Loaded once and shared, so that replacing a process takes almost no processor time. Loading opens no connection and
# starts no thread; each process does so with its first request.
preload_app = True
# A heartbeat file on a slow disk can look like a stuck process.
MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes a file of its own in it
worker_tmp_dir = str(MEMORY) if MEMORY.is_dir() else None
# gunicorn's admin socket is not used here, and would be in the home folder, which need not be writable.
control_socket_disable = True
errorlog = "-"


def when_ready(server: object) -> None:  # noqa: ARG001  # gunicorn's signature
    """Called once the site is loaded, before any process is forked.

    Loaded objects never become garbage. To examine them again would take time, and would unshare their memory.
    """
    gc.collect()
    gc.freeze()


metrics_folder = environment.text("METRICS_FOLDER")


def child_exit(server: object, worker: object) -> None:  # noqa: ARG001  # gunicorn's signature
    """Called when a process has ended: keeps its counts, but not its files. Processes are replaced all the time."""
    # Imported only now: it must come after the settings, which say where counters are shared.
    from operations.metrics.files import archive_ended

    if metrics_folder:
        archive_ended(Path(metrics_folder))


# For operators who switch the access log on, as the demo does. Without query string and referrer, since people search
# for names and addresses.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms "%(a)s"'
as_json = environment.choice("LECTERN_ENV", ["development", "production"], default="production") == "production"


class RedactingLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Writes gunicorn's lines like all others: redacted, one per event. They may quote parts of requests."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(line_formatter(as_json=as_json))


logger_class = RedactingLogger
