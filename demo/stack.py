"""The whole site as processes: servers, web, workers, beat and the sandbox.

`make demo` and the browser tests build the same stack, so the tests test what the demo runs.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from demo.ports import LISTENER, HeldPort, PortTaken
from demo.processes import Command, DidNotStart, LineSink, Process, answers_http, stop_all
from demo.servers import PostgresServer, RedisServer
from payments.webhook.event_types import LISTENED_FOR, LISTENED_FOR_ON_ACCOUNTS

CHECKOUT = Path(__file__).resolve().parent.parent
# Django's own variable would point the sandbox, which is another Django project, at the marketplace's settings.
NOT_INHERITED = ("DJANGO_SETTINGS_MODULE", "PYTEST_CURRENT_TEST")


class Ports(NamedTuple):
    """The preferred ports; if taken, the next free ones are used."""

    web: int
    sandbox: int


DEMO_PORTS = Ports(web=8000, sandbox=12111)


class Stack:
    """All processes of one running site, and the environment they share. Creating a stack starts nothing."""

    def __init__(
        self,
        *,
        folder: Path,
        environment: Mapping[str, str],
        sink: LineSink,
        is_durable: bool = True,
        ports: Ports = DEMO_PORTS,
    ) -> None:
        """`environment` may give DATABASE_URL and REDIS_URL; for a missing one, a server is embedded below `folder`."""
        self.folder = folder
        self._sink = sink
        self._given = {name: value for name, value in environment.items() if name not in NOT_INHERITED}
        self.postgres = (
            None if self._given.get("DATABASE_URL") else PostgresServer(folder, sink=sink, is_durable=is_durable)
        )
        self.redis = None if self._given.get("REDIS_URL") else RedisServer(folder, sink=sink)
        # Taken now and handed over: nothing else can answer where the site and the sandbox are expected.
        self._web_port = self._hold_web_port(ports.web)
        self._sandbox_port = HeldPort(ports.sandbox)
        self.base_url = self._given.get("BASE_URL", "").rstrip("/") or f"http://127.0.0.1:{self._web_port.number}"
        self.sandbox_url = f"http://127.0.0.1:{self._sandbox_port.number}"
        # With Stripe's own test keys the site talks to Stripe.
        self.has_sandbox = not self._given.get("STRIPE_SECRET_KEY")
        # SIGINT ends gunicorn at once; SIGTERM would wait for every browser that keeps a connection open.
        self.web = self._process(
            "web",
            self._gunicorn(),
            is_ready=answers_http(f"{self._web_address}/demo/"),
            stop_signal=signal.SIGINT,
            port=self._web_port,
        )
        # People wait for what they paid for, so these workers do nothing but payments.
        self.worker = self._celery_worker("worker", "urgent")
        # Calls to Stripe may have to wait for answers, so they have their own workers. These and the mails run at lower
        # priority.
        self.stripe = self._celery_worker("stripe", "looks,stripe", niceness=10)
        # Programs of other people may be slow to answer.
        self.webhooks = self._celery_worker("webhooks", "webhooks", niceness=10)
        self.background = self._celery_worker("background", "default,background", niceness=10)
        self.beat = self._celery("beat", "beat", "--pidfile=")
        self.sandbox = self._process(
            "sandbox",
            [sys.executable, "-m", "sandbox"],
            is_ready=answers_http(f"{self.sandbox_url}/"),
            stop_signal=signal.SIGINT,
            port=self._sandbox_port,
            environment=lambda: {**self.environment(), "SANDBOX_LISTENER": LISTENER},
        )

    @property
    def site(self) -> list[Process]:
        """Everything but the servers, in the order in which it is started."""
        own = [self.web, self.worker, self.stripe, self.webhooks, self.background, self.beat]
        return [self.sandbox, *own] if self.has_sandbox else own

    @property
    def servers(self) -> list[Process]:
        """The embedded servers, if any."""
        return [server.process for server in (self.postgres, self.redis) if server]

    @property
    def database_url(self) -> str:
        return self.postgres.url("lectern") if self.postgres else self._given["DATABASE_URL"]

    @property
    def redis_url(self) -> str:
        return self.redis.url() if self.redis else self._given["REDIS_URL"]

    @property
    def _web_address(self) -> str:
        # BASE_URL may be a tunnel's; gunicorn listens here in any case.
        return f"http://127.0.0.1:{self._web_port.number}"

    def _hold_web_port(self, preferred: int) -> HeldPort:
        """Hold the port BASE_URL names, or one of our choice. Raises DidNotStart when it is another program's."""
        given = self._given.get("BASE_URL", "")
        try:
            return HeldPort(urlsplit(given).port or DEMO_PORTS.web, tries=1) if given else HeldPort(preferred)
        except PortTaken as taken:
            raise DidNotStart(f"The site cannot listen where BASE_URL says. {taken}") from taken

    def environment(self) -> dict[str, str]:
        """The environment of every process of the site. The embedded servers must have been started once."""
        webhook = f"{self._web_address}/payments/webhook/"
        return {
            **self._given,
            "LECTERN_ENV": "development",
            "BASE_URL": self.base_url,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "MEDIA_ROOT": str(self.folder / "media"),
            "PRIVATE_MEDIA_ROOT": str(self.folder / "private_media"),
            "SANDBOX_URL": self.sandbox_url,
            "SANDBOX_PORT": str(self._sandbox_port.number),
            "SANDBOX_PUBLIC_URL": self.sandbox_url,
            # Stripe has machines of its own; this one must not be busy answering a whole crowd at once.
            "SANDBOX_THREADS": "4",
            "SANDBOX_DATABASE": str(self.folder / "sandbox.sqlite3"),
            "SANDBOX_WEBHOOK_URL": webhook,
            "SANDBOX_WEBHOOK_EVENTS": ",".join([*LISTENED_FOR, *LISTENED_FOR_ON_ACCOUNTS]),
            "SANDBOX_WEBHOOK_SECRET": "whsec_sandbox0000000000000000000000000",
            "PYTHONUNBUFFERED": "1",
            # macOS kills processes that fork after using its frameworks; Celery's workers are forks.
            "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",
        }

    def start_servers(self) -> Iterator[str]:
        """Start the embedded servers, yielding a line about each. Raises DidNotStart."""
        if self.postgres:
            self.postgres.start()
            yield f"PostgreSQL 18 listens on port {self.postgres.port}"
        if self.redis:
            self.redis.start()
            yield f"Redis listens on port {self.redis.port}"

    def manage(self, *arguments: str) -> Iterator[str]:
        """Run a management command, yielding what it prints. Raises DidNotStart when it fails."""
        child = subprocess.Popen(  # noqa: S603 - our own command, no shell
            [sys.executable, "manage.py", *arguments],
            env=self.environment(),
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = []
        try:
            for line in child.stdout or ():
                said.append(line.rstrip())
                yield line.rstrip()
        finally:
            child.terminate()
            child.communicate()
        if child.returncode:
            raise DidNotStart("\n".join([f"manage.py {' '.join(arguments)} failed:", *said[-25:]]))

    def start_site(self) -> Iterator[Process]:
        """Start everything but the servers, in parallel; yields each as it becomes ready. Raises DidNotStart."""
        for process in self.site:
            process.start()
        for process in self.site:
            process.wait_until_ready()
            yield process

    def stop(self) -> None:
        """Stop everything, the servers last. Processes that do not run are ignored."""
        stop_all(self.site)
        stop_all(self.servers)
        for process in [self.sandbox, self.web, *self.servers]:
            if process.command.port:
                process.command.port.let_go()

    def dead(self) -> Process | None:
        """Return the first process that should run and does not."""
        return next((process for process in [*self.servers, *self.site] if process.exit_code is not None), None)

    def _gunicorn(self) -> list[str]:
        options = ["--bind", LISTENER, "--workers", "2", "--threads", "4", "--access-logfile", "-"]
        return [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", *options, "config.wsgi"]

    def _celery_worker(self, name: str, queues: str, *, niceness: int = 0) -> Process:
        quiet = ["--without-gossip", "--without-mingle"]
        return self._celery(name, "worker", "-n", f"{name}@%h", "-Q", queues, "-c", "2", *quiet, niceness=niceness)

    def _celery(self, name: str, *arguments: str, niceness: int = 0) -> Process:
        command = [sys.executable, "-m", "celery", "-q", "-A", "config.celery", *arguments, "-l", "INFO"]
        return self._process(name, command, ready_line=r"@\S+ ready\.|beat: Starting", niceness=niceness)

    def _process(self, name: str, arguments: list[str], **options: Any) -> Process:
        # The environment is known once the servers run, so it is looked up at each start.
        options.setdefault("environment", self.environment)
        return Process(Command(name=name, arguments=arguments, folder=CHECKOUT, **options), self._sink)
