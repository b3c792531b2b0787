"""Start the sandbox: environment, schema, the platform's account, then one gunicorn process with many threads.

One process, because idempotency keys in flight, the log of requests and the writers' lock are in its memory; threads,
because a client that handles a webhook calls the API while the webhook request is still open.
"""

import gc
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import django
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connections
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from sandbox.command_line import check_port, environment_of, where_everything_is
from sandbox.options import RefusesToStart, options


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn, configured here instead of in a file."""

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": options().listener or f"{options().host}:{options().port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": options().threads,
            "keepalive": 30,
            # No timeout: after a laptop has slept, gunicorn would kill its only worker as unresponsive.
            "timeout": 0,
            "graceful_timeout": 2,
            "backlog": 1024,
            # The maximum gunicorn allows: a query with a hundred ids has four thousand characters.
            "limit_request_line": 8190,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_worker_init": _start_background,
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        # The URLs import every module; do it here, so that the first request is not slow.
        import_module("sandbox.urls")
        return get_wsgi_application()


def _start_background(_worker: Any) -> None:
    # In the worker, not in the arbiter, because threads do not survive a fork.
    from sandbox.webhooks import worker as background

    # Everything loaded so far stays in use; collecting over all of it delayed requests by a tenth of a second.
    gc.collect()
    gc.freeze()
    background.start()


def prepare_database() -> None:
    """Migrate the database and create the platform account and the configured endpoint. Raises RefusesToStart."""
    from sandbox import store
    from sandbox.resources.account import ensure_platform_account
    from sandbox.resources.webhook_endpoints import ensure_configured_endpoint

    try:
        options().database.parent.mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0, interactive=False)
    except (OSError, DatabaseError) as error:
        raise RefusesToStart(f"Cannot use the database {options().database}: {error}.") from error
    with store.writing():
        ensure_platform_account()
        ensure_configured_endpoint()
    connections.close_all()


def main(arguments: Sequence[str] = ()) -> int:
    """Run until SIGTERM or SIGINT."""
    # By default Python looks for reference cycles after every 700 new objects, which took a tenth of the time.
    gc.set_threshold(50_000, 20, 20)
    os.environ.update(environment_of(arguments))
    try:
        if not options().listener:
            check_port(options())
        # Overwritten, not only defaulted: the surrounding project's settings must never be loaded here.
        os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
        django.setup()
        # 402 and 404 are ordinary responses here and not worth a log entry.
        logging.getLogger("django.request").setLevel(logging.ERROR)
        prepare_database()
    except RefusesToStart as refusal:
        sys.stderr.write(f"sandbox: {refusal}\n")
        return 2
    sys.stdout.write(where_everything_is(options()))
    sys.stdout.flush()
    Server().run()
    return 0
