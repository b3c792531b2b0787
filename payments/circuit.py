"""Keeps a silent provider from taking the site along: few wait for it at once, none for long, and none once it is down.

Each process decides for itself from what it has seen. Nothing here knows Stripe.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

# This many calls in a row without an answer, and the provider is taken to be down.
_FAILURES_UNTIL_OPEN = 3
# Then nothing is asked for a while, except one call after each pause to see whether it is back. Pauses double.
_FIRST_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 30.0
# Where all places are taken, one more caller waits for as long as the others are likely to be answered.
_PATIENCE_SECONDS = 1.0


class NotAsked(Exception):
    """The call was not made. `retry_after` says in how many seconds one may be."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = max(1, math.ceil(retry_after))


class NoAnswer(Exception):
    """To be raised within `Circuit.call` where the provider did not answer, or answered that it is broken."""


class Circuit:
    """A bulkhead and a breaker around calls to one provider, for all threads of a process."""

    def __init__(self, *, places: int) -> None:
        """At most `places` threads wait at once."""
        self._places = places
        self._waiting: dict[object, float] = {}
        self._changed = threading.Condition()
        self._failures = 0
        self._pause = _FIRST_PAUSE_SECONDS
        self._opens_again_at = 0.0
        self._is_probing = False

    @property
    def is_open(self) -> bool:
        """Whether the provider is taken to be down and is not to be asked now."""
        with self._changed:
            return self._refuses()

    @property
    def seconds_until_probe(self) -> float | None:
        """How long to wait until one call may find out whether the provider is back; None if it is not down."""
        with self._changed:
            return max(self._opens_again_at - time.monotonic(), 0) if self._is_down() else None

    @contextmanager
    def call(self, *, may_probe: bool = True) -> Iterator[None]:
        """Make one call within. Raises NotAsked instead; NoAnswer raised within counts against the provider.

        A caller that may not probe is not the one that finds out, after a pause, whether the provider is back.
        """
        with self.place():
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
    def place(self) -> Iterator[None]:
        """Take one of the few places for threads that wait. Raises NotAsked if they are taken by calls that hang."""
        token = object()
        with self._changed:
            while len(self._waiting) >= self._places:
                patience = max(self._waiting.values()) + _PATIENCE_SECONDS - time.monotonic()
                if patience <= 0:
                    raise NotAsked("too many wait for an answer already", retry_after=_FIRST_PAUSE_SECONDS)
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
        """Whether this call is the one that finds out if the provider is back. Raises NotAsked."""
        with self._changed:
            if not self._is_down():
                return False
            left = self._opens_again_at - time.monotonic()
            if self._is_probing or left > 0 or not may_probe:
                raise NotAsked("it did not answer the last calls", retry_after=max(left, 1))
            self._is_probing = True
            return True

    def _record_failure(self, *, is_probe: bool) -> None:
        with self._changed:
            self._failures += 1
            if is_probe:
                self._is_probing = False
                self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
            if is_probe or self._failures == _FAILURES_UNTIL_OPEN:
                self._opens_again_at = time.monotonic() + self._pause

    def _record_answer(self) -> None:
        with self._changed:
            self._failures, self._pause, self._is_probing = 0, _FIRST_PAUSE_SECONDS, False

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
    """Let everything within wait for providers for this long in all, however many calls it makes."""
    token = _budget.set(_Budget(seconds))
    try:
        yield
    finally:
        _budget.reset(token)


@contextmanager
def spending_time(*, at_most: float) -> Iterator[float]:
    """Take the time within from what is left; gives the moment (monotonic) by which to be done. Raises NotAsked."""
    budget = _budget.get()
    left = at_most if budget is None else min(at_most, budget.seconds_left)
    if left <= 0:
        raise NotAsked("the time for this request is used up", retry_after=_FIRST_PAUSE_SECONDS)
    began_at = time.monotonic()
    try:
        yield began_at + left
    finally:
        if budget is not None:
            budget.seconds_left -= time.monotonic() - began_at
