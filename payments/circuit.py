"""A bulkhead and a circuit breaker, so that a provider that does not answer cannot block the site.

Few threads wait for it at once, none for long, and none once it counts as down. Each process decides from its own
calls. Nothing here is specific to Stripe.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

# After this many calls in a row without an answer the provider counts as down.
_FAILURES_UNTIL_OPEN = 3
# While it is down, only one call is made after each pause, to probe whether it is back. Each pause is twice the last.
_FIRST_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 30.0
# If all slots are taken, another caller waits until this long after the latest of those calls began: a healthy provider
# has answered by then.
_PATIENCE_SECONDS = 1.0


class CallNotMade(Exception):
    """The call was not made. After `retry_after` seconds another may be."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = max(1, math.ceil(retry_after))


class NoAnswer(Exception):
    """Raise this within `Circuit.call` if the provider did not answer, or answered with a server error."""


class Circuit:
    """A bulkhead and a circuit breaker around calls to one provider, for all threads of a process."""

    def __init__(self, *, slots: int, when_changed: Callable[[bool], None] | None = None) -> None:
        """At most `slots` threads wait for the provider at once.

        `when_changed` is told whether the provider is down, each time that changes, by the thread that found out.
        """
        self._slots = slots
        self._when_changed = when_changed
        self._waiting: dict[object, float] = {}
        self._changed = threading.Condition()
        self._failures = 0
        self._pause = _FIRST_PAUSE_SECONDS
        self._opens_again_at = 0.0
        self._is_probing = False

    @property
    def is_open(self) -> bool:
        """Whether the provider counts as down and must not be called now."""
        with self._changed:
            return self._refuses()

    @property
    def seconds_until_probe(self) -> float | None:
        """The seconds until a call may probe whether the provider is back; None if it is not down."""
        with self._changed:
            return max(self._opens_again_at - time.monotonic(), 0) if self._is_down() else None

    @contextmanager
    def call(self, *, may_probe: bool = True) -> Iterator[None]:
        """Make one call inside the block. Raises CallNotMade before it; NoAnswer raised inside counts as a failure.

        With `may_probe=False`, the call is never the one that probes after a pause whether the provider is back.
        """
        with self.slot():
            is_probe = self._begin(may_probe=may_probe)
            try:
                yield
            except NoAnswer:
                self._record_failure(is_probe=is_probe)
                raise
            except BaseException:
                self._forget_probe(is_probe=is_probe)
                raise
            self._record_answer()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Take one of the slots for waiting threads. Raises CallNotMade if calls that hang have taken them all."""
        token = object()
        with self._changed:
            while len(self._waiting) >= self._slots:
                patience = max(self._waiting.values()) + _PATIENCE_SECONDS - time.monotonic()
                if patience <= 0:
                    raise CallNotMade("too many threads wait for an answer", retry_after=_FIRST_PAUSE_SECONDS)
                self._changed.wait(patience)
            self._waiting[token] = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                del self._waiting[token]
                self._changed.notify_all()

    def _refuses(self) -> bool:
        return self._is_down() and (self._is_probing or time.monotonic() < self._opens_again_at)

    def _is_down(self) -> bool:
        return self._failures >= _FAILURES_UNTIL_OPEN

    def _begin(self, *, may_probe: bool) -> bool:
        """Begin a call; True if it is the probe of whether the provider is back. Raises CallNotMade."""
        with self._changed:
            if not self._is_down():
                return False
            left = self._opens_again_at - time.monotonic()
            if self._is_probing or left > 0 or not may_probe:
                raise CallNotMade("it did not answer the last calls", retry_after=max(left, 1))
            self._is_probing = True
            return True

    def _record_failure(self, *, is_probe: bool) -> None:
        with self._changed:
            was_down = self._is_down()
            self._failures += 1
            if is_probe:
                self._is_probing = False
                self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
            if is_probe or self._failures == _FAILURES_UNTIL_OPEN:
                self._opens_again_at = time.monotonic() + self._pause
            is_down = self._is_down()
        self._tell_of_change(was_down=was_down, is_down=is_down)

    def _record_answer(self) -> None:
        with self._changed:
            was_down = self._is_down()
            self._failures, self._pause, self._is_probing = 0, _FIRST_PAUSE_SECONDS, False
        self._tell_of_change(was_down=was_down, is_down=False)

    def _tell_of_change(self, *, was_down: bool, is_down: bool) -> None:
        if self._when_changed and was_down != is_down:
            self._when_changed(is_down)

    def _forget_probe(self, *, is_probe: bool) -> None:
        if is_probe:
            with self._changed:
                self._is_probing = False


@dataclass(slots=True)
class _Budget:
    seconds_left: float


_budget: ContextVar[_Budget | None] = ContextVar("seconds for a provider", default=None)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Limit how long the calls inside the block may wait for providers in total, however many there are."""
    token = _budget.set(_Budget(seconds))
    try:
        yield
    finally:
        _budget.reset(token)


@contextmanager
def spending_time(*, at_most: float) -> Iterator[float]:
    """Count the time inside the block against the limit; yields the deadline (monotonic). Raises CallNotMade."""
    budget = _budget.get()
    left = at_most if budget is None else min(at_most, budget.seconds_left)
    if left <= 0:
        raise CallNotMade("the time for this request is used up", retry_after=_FIRST_PAUSE_SECONDS)
    began_at = time.monotonic()
    try:
        yield began_at + left
    finally:
        if budget is not None:
            budget.seconds_left -= time.monotonic() - began_at
