"""Starting up: environment, schema, the platform's account, then one gunicorn process with many threads.

One process, because keys in flight, the log of requests and the one writer live in its memory; threads, because a client
answering a webhook calls the API back while the webhook is still open.
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
    """gunicorn, told what to do by us instead of a file."""

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": options().listener or f"{options().host}:{options().port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": options().threads,
            "keepalive": 30,
            # Never: a laptop that slept would find its only worker killed for not having answered.
            "timeout": 0,
            "graceful_timeout": 2,
            "backlog": 1024,
            # The longest gunicorn allows: a hundred ids are a query of four thousand characters.
            "limit_request_line": 8190,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_worker_init": _start_background,
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        # The addresses bring every module with them: the first request must not pay for that.
        import_module("sandbox.urls")
        return get_wsgi_application()


def _start_background(_worker: Any) -> None:
    # In the worker, not in the arbiter: threads do not survive a fork.
    from sandbox.webhooks import worker as background

    # What is loaded stays: looking through all of it for garbage held up every request for a tenth of a second.
    gc.collect()
    gc.freeze()
    background.start()


def prepare_database() -> None:
    """Bring the sandbox's own file up to date and put into it what must always be there. Raises RefusesToStart."""
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
    # Python would look for objects that hold each other after every 700 new ones: a tenth of the work.
    gc.set_threshold(50_000, 20, 20)
    os.environ.update(environment_of(arguments))
    try:
        if not options().listener:
            check_port(options())
        # Set, not defaulted: the surrounding project's settings must never be loaded here.
        os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
        django.setup()
        # 402 and 404 are answers here, not news.
        logging.getLogger("django.request").setLevel(logging.ERROR)
        prepare_database()
    except RefusesToStart as refusal:
        sys.stderr.write(f"sandbox: {refusal}\n")
        return 2
    sys.stdout.write(where_everything_is(options()))
    sys.stdout.flush()
    Server().run()
    return 0
