"""The HTTP client of stripe-python in each of our processes: with a time limit, and through one circuit."""

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
import structlog
from django.conf import settings

from payments.circuit import CallNotMade, Circuit, NoAnswer, spending_time
from payments.signals import stripe_availability_changed

log = structlog.get_logger()

# The limit of one call, retries and pauses included, unless `circuit.time_limit` sets a shorter one.
_SECONDS_PER_CALL = 12.0
_SECONDS_TO_CONNECT = 3.05
# With less time left than this a retry is not worth it: it needs a pause before it, and time for an answer.
_LEAST_SECONDS_TO_RETRY = 2.0

_LEAST_SECONDS_BETWEEN_PROBES = 0.1

# Body, status and headers.
Answer = tuple[Any, int, Mapping[str, str]]

_done_by: ContextVar[float] = ContextVar("when this call must be done")


class StripeNotCalled(stripe.APIConnectionError):
    """No call was made: Stripe counts as down, or too many threads wait for it."""

    def __init__(self, reason: CallNotMade) -> None:
        super().__init__(f"Stripe was not called: {reason}", should_retry=False)  # type: ignore[no-untyped-call]
        self.retry_after = reason.retry_after


class HttpClient(stripe.RequestsClient):
    """stripe-python's client with our limits.

    It also retries requests that Stripe refused because of too many at once (429), unless Stripe forbids that.
    """

    def __init__(self, circuit: Circuit) -> None:
        super().__init__()
        self.circuit = circuit
        self._is_watched = threading.Lock()

    @property
    def _timeout(self) -> tuple[float, float]:
        """For connecting and for each wait on the socket, in seconds. stripe-python reads it for each request."""
        left = max(_done_by.get() - time.monotonic(), 0.05)
        return min(_SECONDS_TO_CONNECT, left), left

    @_timeout.setter
    def _timeout(self, seconds: object) -> None:
        """Ignore what stripe-python's constructor sets: our time-outs follow from the time that is left."""

    def request_with_retries(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,
        max_network_retries: int | None = None,
        **options: Any,
    ) -> Answer:
        """One call with its retries. Raises stripe.APIConnectionError, including its subclass StripeNotCalled."""
        send = partial(super().request_with_retries, method, url, headers, post_data, max_network_retries, **options)
        try:
            with spending_time(at_most=_SECONDS_PER_CALL) as done_by, self.circuit.call(may_probe=False):
                return _answer_of(send, done_by=done_by)
        except CallNotMade as reason:
            # Normally a probe is under way. One that could not be started, or just ended, must not leave us waiting.
            self._watch(url)
            raise StripeNotCalled(reason) from reason
        except _Broken as broken:
            self._watch(url)
            return broken.answer
        except NoAnswer as silence:
            self._watch(url)
            raise silence.__cause__ or silence from None

    def _watch(self, url: str) -> None:
        """If Stripe is down, start a thread that probes until it is back, so that no caller has to wait for that."""
        if self.circuit.seconds_until_probe is None or not self._is_watched.acquire(blocking=False):
            return
        probe = threading.Thread(target=self._probe_until_answered, args=(url,), name="stripe-probe", daemon=True)
        try:
            probe.start()
        except RuntimeError as error:
            # The process is exiting or out of threads; the next call tries again.
            self._is_watched.release()
            log.warning("probe_not_started", error=repr(error))

    def _probe_until_answered(self, url: str) -> None:
        origin = urlsplit(url)._replace(path="/v1/balance", query="").geturl()
        # Without a key: a refusal is an answer, too.
        send = partial(super().request_with_retries, "get", origin, {}, max_network_retries=0)
        try:
            while (seconds := self.circuit.seconds_until_probe) is not None:
                time.sleep(max(seconds, _LEAST_SECONDS_BETWEEN_PROBES))
                with suppress(CallNotMade, NoAnswer), self.circuit.call():
                    _answer_of(send, done_by=time.monotonic() + _SECONDS_PER_CALL)
        finally:
            self._is_watched.release()

    def _should_retry(
        self,
        response: tuple[Any, int, Mapping[str, str] | None] | None,
        api_connection_error: stripe.APIConnectionError | None,
        num_retries: int,
        max_network_retries: int | None,
    ) -> bool:
        if _done_by.get() - time.monotonic() < _LEAST_SECONDS_TO_RETRY:
            return False
        if super()._should_retry(response, api_connection_error, num_retries, max_network_retries):
            return True
        if response is None or num_retries >= (max_network_retries or 0):
            return False
        _, status, headers = response
        return status == HTTPStatus.TOO_MANY_REQUESTS and (headers or {}).get("stripe-should-retry") != "false"


def _answer_of(send: Callable[[], Answer], *, done_by: float) -> Answer:
    """Stripe's answer. Raises NoAnswer, including its subclass _Broken."""
    token = _done_by.set(done_by)
    try:
        answer = send()
    except stripe.APIConnectionError as error:
        raise NoAnswer from error
    finally:
        _done_by.reset(token)
    if answer[1] >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _Broken(answer)
    return answer


class _Broken(NoAnswer):
    """A server error of Stripe's. It counts as no answer, and stripe-python gets it unchanged."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


@cache
def http_client() -> HttpClient:
    """The client of this process, whose circuit all calls share."""
    return HttpClient(Circuit(slots=settings.STRIPE_CALLS_AT_ONCE, when_changed=_announce_availability))


def _announce_availability(is_down: bool) -> None:
    if is_down:
        log.warning("stripe_is_down")
    else:
        log.info("stripe_is_back")
    stripe_availability_changed.send(HttpClient, is_down=is_down)
