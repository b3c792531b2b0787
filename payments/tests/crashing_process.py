"""A web process or a worker that ends with SIGKILL at a named point: `python -m payments.tests.crashing_process POINT`.

An event on standard input is delivered; without one, the process performs the work that is due.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import django


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def and_die(original: Callable[..., Any]) -> Callable[..., None]:
    def act_and_die(*arguments: Any, **options: Any) -> None:
        original(*arguments, **options)
        die()

    return act_and_die


def main(point: str, event: bytes) -> None:
    django.setup()
    from django.test import Client

    from jobs import registry as work
    from jobs import runner
    from payments import registry, settlement
    from payments.models import WebhookEvent
    from payments.tests.sample_domain import SAMPLE
    from payments.tests.test_webhook_endpoint import sign
    from payments.webhook import endpoint, processing

    event_performer = work.performer_of(WebhookEvent)
    places = {
        "web: before the event is stored": (endpoint, "store_event", die),
        "web: stored, no worker woken": (endpoint, "wake_after_commit", die),
        "worker: claimed, not begun": (runner, "run", die),
        "worker: paid, not delivered": (settlement, "_deliver", die),
        "worker: delivered, not committed": (processing, "request_event_copy", die),
        "worker: committed": (
            work,
            "performer_of",
            lambda _model: replace(event_performer, perform=and_die(event_performer.perform)),
        ),
    }
    module, name, replacement = places[point]
    setattr(module, name, replacement)
    registry._handlers[SAMPLE.domain] = SAMPLE
    if event:
        headers = {"Stripe-Signature": sign(event)}
        Client(HTTP_HOST="localhost").post(
            "/payments/webhook/", event, content_type="application/json", headers=headers
        )
    else:
        runner.drain(WebhookEvent, seconds=10)


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin.buffer.read())
