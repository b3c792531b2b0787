"""Send one delivery: what a claimed row does. Nothing is open or locked while the other server answers."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db.models.functions import Now
from django.utils import timezone

from jobs.models import WorkParked, WorkPostponed
from webhooks.announcing import WAS_OFF
from webhooks.messages import body_of, headers_of
from webhooks.models import Delivery, Endpoint
from webhooks.permissions import may_still_receive
from webhooks.retry_after import read_retry_after
from webhooks.standing import pause_left, record_failure, record_gone, record_success
from webhooks.targets import TargetRefused, read_target
from webhooks.transport import Answer, NoAnswer, post

log = structlog.get_logger(__name__)

# Of one endpoint, so that a slow one leaves workers for the others.
_AT_ONCE = 2
_GONE = 410


@dataclass(frozen=True, slots=True)
class Try:
    """What came of one request."""

    answer: Answer | None
    error: str
    duration_ms: int

    @property
    def has_succeeded(self) -> bool:
        return self.answer is not None and self.answer.status // 100 == 2  # noqa: PLR2004  # 2xx

    @property
    def is_gone(self) -> bool:
        return self.answer is not None and self.answer.status == _GONE


def send_delivery(delivery: Delivery) -> None:
    """Send a claimed delivery once and record what came of it. Raises WorkParked or WorkPostponed."""
    endpoint = Endpoint.objects.select_related("user").get(pk=delivery.endpoint_id)
    if not endpoint.is_enabled:
        raise WorkParked(WAS_OFF)
    if not may_still_receive(endpoint):
        raise WorkParked("The owner of the endpoint may not receive this any more.")
    _wait_for_turn(delivery, endpoint)
    tried = _try(delivery, endpoint)
    _record(delivery, tried)
    if tried.has_succeeded:
        delivery.mark_done()
        record_success(endpoint)
        return
    if tried.is_gone:
        record_gone(endpoint.pk)
        raise WorkParked(tried.error)
    asked = read_retry_after(tried.answer.retry_after, now=timezone.now()) if tried.answer else None
    record_failure(endpoint.pk, asked_to_wait=asked)
    if delivery.attempts >= delivery.max_attempts:
        raise WorkParked(tried.error)
    delivery.mark_failed(tried.error, no_sooner_than=asked)


def _wait_for_turn(delivery: Delivery, endpoint: Endpoint) -> None:
    """Raise WorkPostponed while the endpoint is paused, or busy with other messages."""
    if left := pause_left(endpoint, timezone.now()):
        raise WorkPostponed("The endpoint is paused because it fails.", delay=left)
    running = Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.RUNNING, run_after__gt=Now())
    if running.exclude(pk=delivery.pk).count() >= _AT_ONCE:
        delay = timedelta(seconds=random.uniform(2, 20))  # noqa: S311  # not a secret
        raise WorkPostponed("Other messages are being sent to this endpoint.", delay=delay)


def _try(delivery: Delivery, endpoint: Endpoint) -> Try:
    body = body_of(delivery.event)
    headers = headers_of(delivery.event, body, secrets=endpoint.secrets.all(), at=timezone.now())
    began = time.monotonic()
    answer, error = None, ""
    try:
        answer = post(read_target(endpoint.url), headers=headers, body=body.encode())
    except (TargetRefused, NoAnswer) as failure:
        error = str(failure)
    else:
        if answer.status // 100 == 3:  # noqa: PLR2004  # 3xx
            error = f"The server answered {answer.status}. Redirects are not followed: give the final address."
        elif answer.status // 100 != 2:  # noqa: PLR2004  # 2xx
            error = f"The server answered {answer.status}."
    return Try(answer, error, int((time.monotonic() - began) * 1000))


def _record(delivery: Delivery, tried: Try) -> None:
    delivery.record_try(
        answer_status=tried.answer.status if tried.answer else None,
        answer_beginning=tried.answer.beginning if tried.answer else "",
        duration_ms=tried.duration_ms,
    )
    log.info(
        "webhook_tried",
        endpoint=delivery.endpoint_id,
        message_id=delivery.event.message_id,
        status=tried.answer.status if tried.answer else None,
        milliseconds=tried.duration_ms,
    )
