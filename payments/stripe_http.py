"""How stripe-python talks to Stripe in each of our processes: within a time, through one circuit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import cache, partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import stripe
from django.conf import settings

from payments.circuit import Circuit, NoAnswer, NotAsked, spending_time

# One call in all, repeats and pauses included, where nothing shorter is asked for (`circuit.time_limit`).
_SECONDS_PER_CALL = 12.0
_SECONDS_TO_CONNECT = 3.05
# What is left when repeating is still worth it: the pause before it, and time for an answer.
_LEAST_SECONDS_TO_REPEAT = 2.0

_LEAST_SECONDS_BETWEEN_PROBES = 0.1

# Body, status and headers.
Answer = tuple[Any, int, Mapping[str, str]]

_done_by: ContextVar[float] = ContextVar("when this call must be done")


class StripeNotAsked(stripe.APIConnectionError):
    """No call was made: Stripe is taken to be down, or too many wait for it already."""

    def __init__(self, reason: NotAsked) -> None:
        super().__init__(f"Stripe was not asked: {reason}", should_retry=False)  # type: ignore[no-untyped-call]
        self.retry_after = reason.retry_after


class HttpClient(stripe.RequestsClient):
    """stripe-python's client within our limits.

    It also repeats what was refused because too much was asked at once, where Stripe says nothing against it.
    """

    def __init__(self, circuit: Circuit) -> None:
        super().__init__()
        self.circuit = circuit
        self._is_watched = threading.Lock()

    @property
    def _timeout(self) -> tuple[float, float]:
        """For connecting and for each wait on the socket; stripe-python reads it for each request it sends."""
        left = max(_done_by.get() - time.monotonic(), 0.05)
        return min(_SECONDS_TO_CONNECT, left), left

    @_timeout.setter
    def _timeout(self, seconds: object) -> None:
        """Set by stripe-python's constructor; ours follow from the time that is left."""

    def request_with_retries(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,
        max_network_retries: int | None = None,
        **options: Any,
    ) -> Answer:
        """One call with its repeats. Raises stripe.APIConnectionError, StripeNotAsked among them."""
        ask = partial(super().request_with_retries, method, url, headers, post_data, max_network_retries, **options)
        try:
            with spending_time(at_most=_SECONDS_PER_CALL) as done_by, self.circuit.call(may_probe=False):
                return _answer_of(ask, done_by=done_by)
        except NotAsked as reason:
            raise StripeNotAsked(reason) from reason
        except _Broken as broken:
            self._watch(url)
            return broken.answer
        except NoAnswer as silence:
            self._watch(url)
            raise silence.__cause__ or silence from None

    def _watch(self, url: str) -> None:
        """If Stripe is down, find out beside all callers when it is back: none of them should wait for that."""
        if self.circuit.seconds_until_probe is not None and self._is_watched.acquire(blocking=False):
            threading.Thread(target=self._probe_until_answered, args=(url,), name="stripe-probe", daemon=True).start()

    def _probe_until_answered(self, url: str) -> None:
        origin = urlsplit(url)._replace(path="/v1/balance", query="").geturl()
        # Without a key: a refusal is an answer too.
        ask = partial(super().request_with_retries, "get", origin, {}, max_network_retries=0)
        try:
            while (seconds := self.circuit.seconds_until_probe) is not None:
                time.sleep(max(seconds, _LEAST_SECONDS_BETWEEN_PROBES))
                with suppress(NotAsked, NoAnswer), self.circuit.call():
                    _answer_of(ask, done_by=time.monotonic() + _SECONDS_PER_CALL)
        finally:
            self._is_watched.release()

    def _should_retry(
        self,
        response: tuple[Any, int, Mapping[str, str] | None] | None,
        api_connection_error: stripe.APIConnectionError | None,
        num_retries: int,
        max_network_retries: int | None,
    ) -> bool:
        if _done_by.get() - time.monotonic() < _LEAST_SECONDS_TO_REPEAT:
            return False
        if super()._should_retry(response, api_connection_error, num_retries, max_network_retries):
            return True
        if response is None or num_retries >= (max_network_retries or 0):
            return False
        _, status, headers = response
        return status == HTTPStatus.TOO_MANY_REQUESTS and (headers or {}).get("stripe-should-retry") != "false"


def _answer_of(ask: Callable[[], Answer], *, done_by: float) -> Answer:
    """What Stripe answers. Raises NoAnswer, _Broken among them."""
    token = _done_by.set(done_by)
    try:
        answer = ask()
    except stripe.APIConnectionError as error:
        raise NoAnswer from error
    finally:
        _done_by.reset(token)
    if answer[1] >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _Broken(answer)
    return answer


class _Broken(NoAnswer):
    """An answer that says Stripe is broken; counted like none, and handed on to stripe-python as it is."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


@cache
def http_client() -> HttpClient:
    """The one client of this process, whose circuit all calls share."""
    return HttpClient(Circuit(places=settings.STRIPE_CALLS_AT_ONCE))
