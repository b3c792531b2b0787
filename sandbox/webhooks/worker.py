"""The threads that make things happen: one hands out deliveries, a few carry them, one runs scheduled steps."""

import logging
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from django.db.models import QuerySet

from sandbox import clock, schedule, statements, store
from sandbox.models import Delivery
from sandbox.options import options
from sandbox.protocol import idempotency
from sandbox.webhooks.attempt import attempt
from sandbox.webhooks.queue import delivery_arrived

CARRIERS = 32
HEARTBEAT_SECONDS = 1.0
FORGET_EVERY_SECONDS = 60.0
MOVE_LOG_EVERY_SECONDS = 2.0
logger = logging.getLogger(__name__)


class Dispatcher:
    """Keeps several deliveries under way, never more than so many at one endpoint."""

    def __init__(self) -> None:
        self._carriers = ThreadPoolExecutor(CARRIERS, thread_name_prefix="delivery")
        self._guard = threading.Lock()
        self._under_way: dict[int, str] = {}

    def run_forever(self) -> None:
        while True:
            delivery_arrived.wait(HEARTBEAT_SECONDS / 4)
            delivery_arrived.clear()
            try:
                self.hand_out()
            except Exception:
                logger.exception("Handing out deliveries failed; trying again.")

    def hand_out(self) -> None:
        """Give the due deliveries that fit to carriers, oldest first.

        Called again after each delivery, so it looks at no more rows than one endpoint may have under way.
        """
        most = options().endpoint_concurrency
        with self._guard:
            busy = Counter(self._under_way.values())
            full = [endpoint for endpoint, under_way in busy.items() if under_way >= most]
            due = self._due().exclude(pk__in=list(self._under_way)).exclude(endpoint__in=full)
            for delivery in due.order_by("next_attempt_at", "pk")[:most]:
                if busy[delivery.endpoint] < most:
                    busy[delivery.endpoint] += 1
                    self._under_way[delivery.pk] = delivery.endpoint
                    self._carriers.submit(self._carry, delivery)

    def _carry(self, delivery: Delivery) -> None:
        try:
            attempt(delivery)
        except Exception:
            logger.exception("Delivery %s could not be attempted", delivery.pk)
        finally:
            with self._guard:
                self._under_way.pop(delivery.pk, None)
            delivery_arrived.set()

    def _due(self) -> QuerySet[Delivery]:
        return Delivery.objects.filter(state=Delivery.State.PENDING, next_attempt_at__lte=clock.wall())

    def is_idle(self) -> bool:
        """Whether nothing is due and nothing under way."""
        with self._guard:
            return not self._under_way and not self._due().exists()


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
