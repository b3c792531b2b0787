"""How gunicorn serves Lectern: a few processes with threads, each replaced now and then. Reads the environment only."""

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
# Slow clients wait in its event loop, not in threads.
worker_class = "config.web_worker.BufferingWorker"
threads = processes.web_threads
# Connections of one process; more are closed at once. Each may hold a body on the disk while it comes in.
worker_connections = 1000
asgi_lifespan = "off"
# Nothing a page does takes longer: calls to Stripe time out well before. A stuck process is ended and replaced.
timeout = 60
# Longer than any request, shorter than the half minute most platforms allow before they kill.
graceful_timeout = 25
# Longer than the idle timeout of usual load balancers, which else send a request into a closing connection.
keepalive = 75
# Leaks stay small; the jitter keeps processes from restarting at the same moment.
max_requests = 2000
max_requests_jitter = 400
# Loaded once and shared: a process that is replaced costs no second of the processor. Loading opens no connection and
# starts no thread; each process does so for itself with its first request.
preload_app = True
# A heartbeat file on a slow disk can look like a stuck process.
MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes a file of its own in it
worker_tmp_dir = str(MEMORY) if MEMORY.is_dir() else None
# Gunicorn's admin socket lies under the home folder, which need not be writable; nobody uses it here.
control_socket_disable = True
errorlog = "-"


def when_ready(server: object) -> None:  # noqa: ARG001  # gunicorn's signature
    """Called once the site is loaded, before any process is forked.

    What is loaded never becomes garbage. Looking at it again would take time, and undo the sharing.
    """
    gc.collect()
    gc.freeze()


# For those who switch the access log on, as the demo does. Without the query and the page one came from: people search
# for names and addresses of people.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms "%(a)s"'
as_json = environment.choice("LECTERN_ENV", ["development", "production"], default="production") == "production"


class RedactingLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Writes gunicorn's lines as all others are written: redacted, one per event. Its own quote requests as they came."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(line_formatter(as_json=as_json))


logger_class = RedactingLogger
