"""The background threads: one distributes deliveries, several send them, one runs scheduled steps."""

import logging
import threading
import time
from collections import Counter, defaultdict, deque
from concurrent.futures import ThreadPoolExecutor

from sandbox import schedule, statements, store
from sandbox.options import options
from sandbox.protocol import idempotency
from sandbox.webhooks.attempt import attempt
from sandbox.webhooks.queue import DueDelivery, delivery_arrived, due

CARRIERS = 32
READ_AHEAD = 64
# The number of deliveries a carrier sends before it frees its thread for other endpoints.
MOST_IN_A_ROW = 8
HEARTBEAT_SECONDS = 1.0
CLEAN_UP_EVERY_SECONDS = 60.0
MOVE_LOG_EVERY_SECONDS = 2.0
logger = logging.getLogger(__name__)


class Dispatcher:
    """Sends several deliveries at the same time, up to a limit for each endpoint.

    It reads ahead, and each carrier takes its endpoint's next delivery without waiting for the dispatcher: under load,
    waking a thread and querying the database for each delivery took as long as the delivery itself.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(CARRIERS, thread_name_prefix="delivery")
        self._guard = threading.Lock()
        self._waiting: defaultdict[str, deque[DueDelivery]] = defaultdict(deque)
        self._carriers: Counter[str] = Counter()
        # Deliveries that were read and whose outcome is not recorded yet.
        self._taken: set[int] = set()
        self._is_more_due = False

    def run_forever(self) -> None:
        while True:
            delivery_arrived.wait(HEARTBEAT_SECONDS / 4)
            delivery_arrived.clear()
            try:
                self.distribute()
            except Exception:
                logger.exception("Distributing deliveries failed; trying again.")

    def distribute(self) -> None:
        """Read due deliveries, oldest first, and start carriers for each endpoint up to its limit."""
        at_once = options().endpoint_concurrency
        with self._guard:
            supplied = [endpoint for endpoint, waiting in self._waiting.items() if len(waiting) >= at_once]
            found = due(READ_AHEAD, but=self._taken, but_to=supplied)
            self._is_more_due = bool(supplied)
            for delivery in found:
                self._taken.add(delivery.id)
                self._waiting[delivery.endpoint].append(delivery)
            for endpoint, waiting in self._waiting.items():
                for _ in range(min(at_once - self._carriers[endpoint], len(waiting))):
                    self._carriers[endpoint] += 1
                    self._pool.submit(self._carry, endpoint)
        if len(found) == READ_AHEAD:
            delivery_arrived.set()

    def _carry(self, endpoint: str) -> None:
        for _ in range(MOST_IN_A_ROW):
            delivery = self._next(endpoint)
            if delivery is None:
                return
            try:
                attempt(delivery)
            except Exception:
                logger.exception("The attempt of delivery %s failed in the sandbox itself", delivery.id)
            finally:
                with self._guard:
                    self._taken.discard(delivery.id)
        # Other endpoints may wait for a thread.
        self._pool.submit(self._carry, endpoint)

    def _next(self, endpoint: str) -> DueDelivery | None:
        """The next delivery to an endpoint, or None, which ends the carrier."""
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
        """Whether no delivery is due or being sent."""
        with self._guard:
            return not self._taken and not due(1)


dispatcher = Dispatcher()


def _tick_forever() -> None:
    clean_up_at = move_log_at = 0.0
    while True:
        wait = schedule.seconds_until_next()
        schedule.work_arrived.wait(HEARTBEAT_SECONDS if wait is None else min(wait, HEARTBEAT_SECONDS))
        schedule.work_arrived.clear()
        try:
            schedule.run_due_steps()
            if time.monotonic() > move_log_at:
                move_log_at = time.monotonic() + MOVE_LOG_EVERY_SECONDS
                statements.move_log_into_file()
            if time.monotonic() > clean_up_at:
                clean_up_at = time.monotonic() + CLEAN_UP_EVERY_SECONDS
                with store.writing():
                    idempotency.delete_expired()
        except Exception:
            logger.exception("Scheduled steps failed; trying again.")


def start() -> None:
    """Start the background threads; they end with the process, and unfinished work remains in the database."""
    threading.Thread(target=dispatcher.run_forever, name="dispatcher", daemon=True).start()
    threading.Thread(target=_tick_forever, name="ticker", daemon=True).start()


def drain(timeout: float) -> bool:
    """Run due steps and wait until every due delivery has been attempted. Returns False after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        schedule.run_due_steps()
        delivery_arrived.set()
        if dispatcher.is_idle():
            return True
        time.sleep(0.02)
    return False
