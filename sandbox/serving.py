"""Starting up: environment, schema, the platform's account, then one gunicorn process with many threads.

One process, because faults, delivery modes and keys in flight live in its memory; threads, because a client
answering a webhook calls the API back while the webhook is still open.
"""

import logging
import os
import sys
from importlib import import_module
from typing import Any

import django
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from sandbox.options import RefusesToStart, options


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn, told what to do by us instead of a file."""

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": f"{options().host}:{options().port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": options().threads,
            "keepalive": 30,
            "timeout": 120,
            "graceful_timeout": 2,
            "backlog": 1024,
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

    background.start()


def prepare_database() -> None:
    """Bring the sandbox's own file up to date and put into it what must always be there."""
    from sandbox import store
    from sandbox.resources.account import ensure_platform_account
    from sandbox.resources.webhook_endpoints import ensure_configured_endpoint

    options().database.parent.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0, interactive=False)
    with store.writing():
        ensure_platform_account()
        ensure_configured_endpoint()
    connections.close_all()


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    try:
        options()
    except RefusesToStart as refusal:
        sys.stderr.write(f"sandbox: {refusal}\n")
        return 2
    # Set, not defaulted: the surrounding project's settings must never be loaded here.
    os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
    django.setup()
    # 402 and 404 are answers here, not news.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    prepare_database()
    sys.stdout.write(f"Lectern sandbox (pretend Stripe) listening on {options().public_url}\n")
    sys.stdout.flush()
    Server().run()
    return 0
