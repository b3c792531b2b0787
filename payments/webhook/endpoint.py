"""The webhook endpoint: verify, store, acknowledge. One insert, no call to Stripe; nothing unverified is stored."""

from __future__ import annotations

import time
from http import HTTPStatus

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from jobs.wakeups import wake_after_commit
from notifications.alerts import raise_alert
from payments.models import WebhookEvent
from payments.signals import webhook_answered
from payments.webhook.inbox import UnusableEvent, read_event, store_event
from payments.webhook.signature import SignatureInvalid, TimestampOutsideTolerance, verify

log = structlog.get_logger()

# Stripe's events have a few kilobytes; the largest published ones stay below a quarter of this.
BODY_BYTES_AT_MOST = 1_000_000
_RECEIVED = b'{"status": "received"}'
_ALREADY_PROCESSED = b'{"status": "already_processed"}'


@csrf_exempt
@require_POST
def receive_event(request: HttpRequest) -> HttpResponse:
    """Receive an event from Stripe. Answers 200 only once it is stored, and 4xx if it is not an event for this site."""
    return _refuse_insecure(request) or _verify_and_store(request)


def _verify_and_store(request: HttpRequest) -> HttpResponse:
    try:
        body = _capped_body(request)
        verify(
            body=body,
            # Not `request.headers`, which would copy all headers first.
            header=request.META.get("HTTP_STRIPE_SIGNATURE", ""),
            secrets=settings.STRIPE_WEBHOOK_SECRETS,
            now=time.time(),
        )
        event, text = read_event(body)
        is_new = store_event(event, text=text, source=WebhookEvent.Source.WEBHOOK)
    except _TooLarge:
        return _refuse(413, "The body is too large.")
    except SignatureInvalid as problem:
        log.warning("webhook_signature_invalid", problem=str(problem))
        return _refuse(400, "Invalid signature")
    except TimestampOutsideTolerance as problem:
        return _refuse_time(problem)
    except UnusableEvent as problem:
        raise_alert(key=f"webhook-refused:{problem.kind}", title=f"Webhook refused: {problem}", detail={})
        return _refuse(400, str(problem))
    except DatabaseError as problem:
        # Not stored, so not acknowledged: Stripe delivers it again. That request needs a new connection, since after a
        # failover this one may lead to a server that is gone or read-only.
        connection.close()
        log.exception("webhook_not_stored", problem=repr(problem))
        return _refuse(503, "Not stored. Please deliver again.")
    webhook_answered.send(WebhookEvent, event_type=event["type"], outcome="stored" if is_new else "repeated")
    log.info("webhook_received", event_id=event["id"], event_type=event["type"], is_new=is_new)
    if is_new:
        wake_after_commit(WebhookEvent)
    return HttpResponse(_RECEIVED if is_new else _ALREADY_PROCESSED, content_type="application/json")


class _TooLarge(Exception):
    pass


def _refuse_insecure(request: HttpRequest) -> HttpResponse | None:
    """Refuse a request without HTTPS or for another host. The middleware that does so for pages does not see webhooks.

    No redirect: Stripe follows none, and others may have read already what was sent unencrypted.
    """
    if settings.WEBHOOKS_NEED_HTTPS and not request.is_secure():
        log.warning("webhook_without_https")
        return _refuse(403, "Webhooks are taken over HTTPS only.")
    try:
        request.get_host()
    except DisallowedHost:
        log.warning("webhook_for_unknown_host", host=request.META.get("HTTP_HOST", ""))
        return _refuse(400, "Unknown host.")
    return None


def _capped_body(request: HttpRequest) -> bytes:
    """The raw body. Too large a body is refused by its Content-Length before any of it is read."""
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        announced = 0
    if announced > BODY_BYTES_AT_MOST:
        raise _TooLarge
    body = request.read(BODY_BYTES_AT_MOST + 1)
    if len(body) > BODY_BYTES_AT_MOST:
        raise _TooLarge
    return body


def _refuse_time(problem: TimestampOutsideTolerance) -> HttpResponse:
    if problem.is_in_the_future:
        # The signature is correct, so it is not an attack: our clock is wrong, or a proxy's.
        raise_alert(
            key="webhook-clock",
            title="A webhook was signed in the future: check this server's clock",
            detail={"seconds": problem.seconds_off},
        )
    log.warning("webhook_time_outside_tolerance", seconds=problem.seconds_off)
    return _refuse(400, "The timestamp is outside the tolerance.")


def _refuse(status: int, message: str) -> HttpResponse:
    outcome = "not_stored" if status == HTTPStatus.SERVICE_UNAVAILABLE else "refused"
    webhook_answered.send(WebhookEvent, event_type="", outcome=outcome)
    return JsonResponse({"error": message}, status=status)
