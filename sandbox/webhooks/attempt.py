"""One attempt to deliver an event to an endpoint, and its outcome."""

import sys
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from http.client import HTTPException

from sandbox import clock, statements, store
from sandbox.models import Delivery, DeliveryAttempt
from sandbox.options import options
from sandbox.store import Body
from sandbox.webhooks import modes, queue
from sandbox.webhooks.queue import DueDelivery
from sandbox.webhooks.rendering import request_body
from sandbox.webhooks.sending import post
from sandbox.webhooks.signing import signature_header

STALE_SECONDS = 3600
ANSWER_LENGTH = 500
SUCCESS = range(200, 300)
USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
_DELIVERIES = Delivery._meta.db_table
_ATTEMPTS = DeliveryAttempt._meta.db_table


@dataclass(frozen=True)
class Outcome:
    """The outcome of one attempt. `status` is None if there was no answer; `answer` then says why."""

    status: int | None
    answer: str
    signature: str = ""
    milliseconds: int = 0

    @property
    def is_taken(self) -> bool:
        return self.status is not None and self.status in SUCCESS


def attempt(delivery: DueDelivery) -> None:
    """Send once and record the outcome; every failure but the last one schedules the next attempt."""
    endpoint = store.find_anywhere("webhook_endpoint", delivery.endpoint)
    if endpoint is None or endpoint.get("deleted"):
        _write(delivery, Outcome(None, "The endpoint was deleted."), is_given_up=True)
        return
    if endpoint["status"] != "enabled":
        _write(delivery, Outcome(None, "The endpoint is disabled."))
        return
    event = store.find_anywhere("event", delivery.event)
    if event is None:  # A reset has deleted the event and its deliveries meanwhile.
        return
    outcome = _post(endpoint, event)
    _log(event, endpoint["url"], outcome)
    _write(delivery, outcome)


def _post(endpoint: Body, event: Body) -> Outcome:
    payload = request_body(event, endpoint)
    signature = _signature(payload, endpoint, event["type"])
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": USER_AGENT,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Stripe-Signature": signature,
    }
    status: int | None
    began = time.monotonic()
    try:
        # Redirects are not followed: Stripe counts a 3xx as a failure (docs: "Webhooks").
        status, text = post(endpoint["url"], payload, headers)
        answer = text[:ANSWER_LENGTH].decode(errors="replace")
    except (OSError, HTTPException, ValueError) as error:
        status, answer = None, f"{type(error).__name__}: {error}"[:ANSWER_LENGTH]
    return Outcome(status, answer, signature, round((time.monotonic() - began) * 1000))


def _signature(payload: bytes, endpoint: Body, event_type: str) -> str:
    # Receivers compare the timestamp with their own clock, so it is the machine's time, not the sandbox's.
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


def _write(delivery: DueDelivery, outcome: Outcome, *, is_given_up: bool = False) -> None:
    attempts = delivery.attempts + 1
    wait = queue.retry_delay(attempts)
    moment = clock.precise_now()
    state = Delivery.State.PENDING
    if outcome.is_taken:
        state = Delivery.State.SUCCEEDED
    elif is_given_up or wait is None:
        state = Delivery.State.ABANDONED
    change = (
        f"UPDATE {_DELIVERIES} SET state = ?, attempts = ?, last_status = ?, last_answer = ?, last_attempt_at = ?, "  # noqa: S608
        "next_attempt_at = ? WHERE id = ?"
    )
    values = (state.value, attempts, outcome.status, outcome.answer, moment, moment + (wait or 0), delivery.id)
    with store.writing():
        if statements.run(change, values).rowcount:  # A reset may have deleted the delivery meanwhile.
            row = {"delivery_id": delivery.id, "at": moment, **asdict(outcome)}
            statements.insert_into(_ATTEMPTS, row)


def _log(event: Body, url: str, outcome: Outcome) -> None:
    if not options().log_deliveries:
        return
    moment = f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S}"
    result = f"[{outcome.status}]" if outcome.status else f"[ERROR] {outcome.answer}"
    sys.stdout.write(
        f"{moment}   --> {event['type']} [{event['id']}]\n{moment}  <--  {result} POST {url} [{event['id']}]\n"
    )
    sys.stdout.flush()
