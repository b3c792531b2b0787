"""The background threads: one distributes deliveries, a few send them, one runs scheduled steps."""

import logging
import threading
import time
from collections import Counter, defaultdict, deque
from concurrent.futures import ThreadPoolExecutor

from sandbox import schedule, statements, store
from sandbox.options import options
from sandbox.protocol import idempotency
from sandbox.webhooks.attempt import attempt
from sandbox.webhooks.queue import Owed, delivery_arrived, due

CARRIERS = 32
READ_AHEAD = 64
# How many deliveries a carrier takes before it lets others have its thread.
STRETCH = 8
HEARTBEAT_SECONDS = 1.0
FORGET_EVERY_SECONDS = 60.0
MOVE_LOG_EVERY_SECONDS = 2.0
logger = logging.getLogger(__name__)


class Dispatcher:
    """Keeps several deliveries under way, never more than so many at one endpoint.

    It reads ahead, and a carrier takes what comes next at its endpoint by itself: under a crowd, waking a thread and
    asking the database for each delivery took as long as the delivery.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(CARRIERS, thread_name_prefix="delivery")
        self._guard = threading.Lock()
        self._waiting: defaultdict[str, deque[Owed]] = defaultdict(deque)
        self._carriers: Counter[str] = Counter()
        # Deliveries that were read and whose outcome is not written yet.
        self._taken: set[int] = set()
        self._is_more_due = False

    def run_forever(self) -> None:
        while True:
            delivery_arrived.wait(HEARTBEAT_SECONDS / 4)
            delivery_arrived.clear()
            try:
                self.hand_out()
            except Exception:
                logger.exception("Handing out deliveries failed; trying again.")

    def hand_out(self) -> None:
        """Read what is due, oldest first, and give each endpoint the carriers it may have."""
        at_once = options().endpoint_concurrency
        with self._guard:
            supplied = [endpoint for endpoint, waiting in self._waiting.items() if len(waiting) >= at_once]
            found = due(READ_AHEAD, but=self._taken, but_to=supplied)
            self._is_more_due = bool(supplied)
            for owed in found:
                self._taken.add(owed.delivery)
                self._waiting[owed.endpoint].append(owed)
            for endpoint, waiting in self._waiting.items():
                for _ in range(min(at_once - self._carriers[endpoint], len(waiting))):
                    self._carriers[endpoint] += 1
                    self._pool.submit(self._carry, endpoint)
        if len(found) == READ_AHEAD:
            delivery_arrived.set()

    def _carry(self, endpoint: str) -> None:
        for _ in range(STRETCH):
            owed = self._next(endpoint)
            if owed is None:
                return
            try:
                attempt(owed)
            except Exception:
                logger.exception("Delivery %s could not be attempted", owed.delivery)
            finally:
                with self._guard:
                    self._taken.discard(owed.delivery)
        # Other endpoints may wait for a thread.
        self._pool.submit(self._carry, endpoint)

    def _next(self, endpoint: str) -> Owed | None:
        """What a carrier takes next; when there is nothing it goes home."""
        with self._guard:
            waiting = self._waiting[endpoint]
            if self._is_more_due and len(waiting) <= options().endpoint_concurrency:
                delivery_arrived.set()
            if waiting:
                return waiting.popleft()
            self._carriers[endpoint] -= 1
            if not self._carriers[endpoint]:
                del self._carriers[endpoint], self._waiting[endpoint]
            return None

    def is_idle(self) -> bool:
        """Whether nothing is due and nothing under way."""
        with self._guard:
            return not self._taken and not due(1)


dispatcher = Dispatcher()


def _tick_forever() -> None:
    forget_at = move_log_at = 0.0
    while True:
        wait = schedule.seconds_until_next()
        schedule.work_arrived.wait(HEARTBEAT_SECONDS if wait is None else min(wait, HEARTBEAT_SECONDS))
        schedule.work_arrived.clear()
        try:
            schedule.run_due_steps()
            if time.monotonic() > move_log_at:
                move_log_at = time.monotonic() + MOVE_LOG_EVERY_SECONDS
                statements.move_log_into_file()
            if time.monotonic() > forget_at:
                forget_at = time.monotonic() + FORGET_EVERY_SECONDS
                with store.writing():
                    idempotency.forget_expired()
        except Exception:
            logger.exception("Scheduled steps failed; trying again.")


def start() -> None:
    """Start the background threads; they end with the process, and what they owed is in the database."""
    threading.Thread(target=dispatcher.run_forever, name="dispatcher", daemon=True).start()
    threading.Thread(target=_tick_forever, name="ticker", daemon=True).start()


def drain(timeout: float) -> bool:
    """Run what is due and wait until every due delivery was attempted. False when that took too long."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        schedule.run_due_steps()
        delivery_arrived.set()
        if dispatcher.is_idle():
            return True
        time.sleep(0.02)
    return False
