"""One attempt to hand an event to an endpoint, and what its answer means."""

import json
import sys
import time
from dataclasses import dataclass
from datetime import datetime

import urllib3

from sandbox import clock, store
from sandbox.models import Delivery, DeliveryAttempt
from sandbox.options import options
from sandbox.store import Body
from sandbox.webhooks import modes, queue
from sandbox.webhooks.signing import signature_header

TIMEOUT_SECONDS = 10.0
STALE_SECONDS = 3600
ANSWER_LENGTH = 500
SUCCESS = range(200, 300)
USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
_pool = urllib3.PoolManager(num_pools=10, maxsize=16, retries=False, timeout=TIMEOUT_SECONDS)


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt. `status` is None when there was no answer, and `answer` then says why."""

    status: int | None
    answer: str
    signature: str = ""
    milliseconds: int = 0

    @property
    def is_taken(self) -> bool:
        return self.status is not None and self.status in SUCCESS


def attempt(delivery: Delivery) -> None:
    """Send once and write down the outcome; every failure but the last one schedules the next attempt."""
    endpoint = store.find_anywhere("webhook_endpoint", delivery.endpoint)
    if endpoint is None or endpoint.get("deleted"):
        _write(delivery, Outcome(None, "The endpoint was deleted."), is_given_up=True)
        return
    if endpoint["status"] != "enabled":
        _write(delivery, Outcome(None, "The endpoint is disabled."))
        return
    event = store.find_anywhere("event", delivery.event)
    if event is None:  # A reset came in between; nobody is owed anything any more.
        return
    outcome = _post(endpoint, event)
    _log(event, endpoint["url"], outcome)
    _write(delivery, outcome)


def request_body(event: Body, endpoint: Body) -> bytes:
    """What an endpoint is sent: the event, in the version of the API the endpoint was made for."""
    shown = store.visible(event) | {"api_version": endpoint.get("api_version") or event["api_version"]}
    return json.dumps(shown, indent=2).encode()


def _post(endpoint: Body, event: Body) -> Outcome:
    payload = request_body(event, endpoint)
    signature = _signature(payload, endpoint, event["type"])
    began = time.monotonic()
    try:
        # Redirects are not followed: Stripe counts a 3xx as a failure (docs: "Webhooks").
        response = _pool.request(
            "POST",
            endpoint["url"],
            body=payload,
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": USER_AGENT,
                "Accept": "*/*",
                "Stripe-Signature": signature,
            },
            redirect=False,
        )
        status, answer = response.status, response.data[:ANSWER_LENGTH].decode(errors="replace")
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        status, answer = None, f"{type(error).__name__}: {error}"[:ANSWER_LENGTH]
    return Outcome(status, answer, signature, round((time.monotonic() - began) * 1000))


def _signature(payload: bytes, endpoint: Body, event_type: str) -> str:
    # Receivers compare with their own clock, so the signature is of the machine's time, not the sandbox's.
    timestamp = int(time.time())
    secrets = [
        secret["value"]
        for secret in endpoint["_secrets"]
        if secret["expires_at"] is None or secret["expires_at"] > clock.now()
    ]
    mode = modes.current()
    if mode.name == modes.WRONG_SIGNATURE and mode.concerns(event_type):
        secrets = ["whsec_wrong"]
    elif mode.name == modes.OLD_TIMESTAMP and mode.concerns(event_type):
        timestamp -= STALE_SECONDS
    return signature_header(payload, secrets, timestamp)


def _write(delivery: Delivery, outcome: Outcome, *, is_given_up: bool = False) -> None:
    attempts = delivery.attempts + 1
    wait = queue.retry_delay(attempts)
    moment = clock.precise_now()
    state = Delivery.State.PENDING
    if outcome.is_taken:
        state = Delivery.State.SUCCEEDED
    elif is_given_up or wait is None:
        state = Delivery.State.ABANDONED
    with store.writing():
        is_still_owed = Delivery.objects.filter(pk=delivery.pk).update(
            state=state,
            attempts=attempts,
            last_status=outcome.status,
            last_answer=outcome.answer,
            last_attempt_at=moment,
            next_attempt_at=moment + (wait or 0),
        )
        if is_still_owed:  # A reset may have come in between.
            DeliveryAttempt.objects.create(
                delivery=delivery,
                at=moment,
                status=outcome.status,
                answer=outcome.answer,
                milliseconds=outcome.milliseconds,
                signature=outcome.signature,
            )


def _log(event: Body, url: str, outcome: Outcome) -> None:
    if not options().log_deliveries:
        return
    moment = f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S}"
    result = f"[{outcome.status}]" if outcome.status else f"[ERROR] {outcome.answer}"
    sys.stdout.write(
        f"{moment}   --> {event['type']} [{event['id']}]\n{moment}  <--  {result} POST {url} [{event['id']}]\n"
    )
    sys.stdout.flush()
