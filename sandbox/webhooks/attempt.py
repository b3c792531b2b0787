"""One attempt to hand an event to an endpoint, and what its answer means."""

import json
import sys
import time
from datetime import datetime

import urllib3

from sandbox import clock, store
from sandbox.models import Delivery
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


def attempt(delivery: Delivery) -> None:
    """Send once and write down the outcome; every failure but an exhausted one schedules the next attempt."""
    endpoint = store.find_anywhere("webhook_endpoint", delivery.endpoint)
    if endpoint is None or endpoint.get("deleted"):
        _write(delivery, state=Delivery.State.ABANDONED, status=None, answer="The endpoint was deleted.")
        return
    if endpoint["status"] != "enabled":
        _write(delivery, state=Delivery.State.PENDING, status=None, answer="The endpoint is disabled.")
        return
    event = store.find_anywhere("event", delivery.event)
    if event is None:  # A reset came in between; nobody is owed anything any more.
        return
    status, answer = _post(endpoint, event)
    is_taken = status is not None and status in SUCCESS
    _log(event, endpoint["url"], status, answer)
    state = Delivery.State.SUCCEEDED if is_taken else Delivery.State.PENDING
    _write(delivery, state=state, status=status, answer=answer)


def _post(endpoint: Body, event: Body) -> tuple[int | None, str]:
    payload = json.dumps(event).encode()
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
                "Stripe-Signature": _signature(payload, endpoint),
            },
            redirect=False,
        )
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        return None, f"{type(error).__name__}: {error}"[:ANSWER_LENGTH]
    return response.status, response.data[:ANSWER_LENGTH].decode(errors="replace")


def _signature(payload: bytes, endpoint: Body) -> str:
    # Receivers compare with their own clock, so the signature is of the machine's time, not the sandbox's.
    timestamp = int(time.time())
    secrets = [
        secret["value"]
        for secret in endpoint["_secrets"]
        if secret["expires_at"] is None or secret["expires_at"] > clock.now()
    ]
    mode = modes.signing_mode()
    if mode == modes.WRONG_SIGNATURE:
        secrets = ["whsec_wrong"]
    elif mode == modes.OLD_TIMESTAMP:
        timestamp -= STALE_SECONDS
    return signature_header(payload, secrets, timestamp)


def _write(delivery: Delivery, *, state: str, status: int | None, answer: str) -> None:
    attempts = delivery.attempts + 1
    if state == Delivery.State.PENDING and attempts >= queue.MAX_ATTEMPTS:
        state = Delivery.State.ABANDONED
    moment = clock.precise_now()
    with store.writing():
        Delivery.objects.filter(pk=delivery.pk).update(
            state=state,
            attempts=attempts,
            last_status=status,
            last_answer=answer,
            last_attempt_at=moment,
            next_attempt_at=moment + queue.retry_delay(attempts),
        )


def _log(event: Body, url: str, status: int | None, answer: str) -> None:
    if not options().log_deliveries:
        return
    moment = f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S}"
    result = f"[{status}]" if status else f"[ERROR] {answer}"
    sys.stdout.write(
        f"{moment}   --> {event['type']} [{event['id']}]\n{moment}  <--  {result} POST {url} [{event['id']}]\n"
    )
    sys.stdout.flush()
