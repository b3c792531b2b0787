"""The switches as JSON over HTTP, with the same API key; README.md lists them."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

from django.http import HttpRequest, JsonResponse

from sandbox import clock, request_log, store
from sandbox.checkout import offered
from sandbox.models import Delivery, DeliveryAttempt, IdempotentAnswer, ScheduledStep, StoredObject
from sandbox.protocol.authentication import authenticate
from sandbox.protocol.errors import ApiError
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.resources.account import ensure_platform_account
from sandbox.resources.webhook_endpoints import ensure_configured_endpoint, rotate_secret
from sandbox.switches import faults, time_travel
from sandbox.webhooks import modes, queue, worker

Answer: TypeAlias = dict[str, Any]
LISTED = 200
LONGEST_DRAIN = 300.0


def switch(view: Callable[..., Answer]) -> Callable[..., JsonResponse]:
    """Authenticate, read the JSON body and respond with JSON; errors are a 400 with a message."""

    @wraps(view)
    def answer(request: HttpRequest, **ids: str) -> JsonResponse:
        try:
            authenticate(request)
            return JsonResponse(view(request.method, _read_body(request), **ids))
        except ApiError as error:
            return JsonResponse({"error": error.fields()}, status=error.status)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            return JsonResponse({"error": {"message": f"{type(error).__name__}: {error}"}}, status=400)

    return answer


def _read_body(request: HttpRequest) -> Answer:
    body = json.loads(request.body or b"{}") if request.method == "POST" else request.GET.dict()
    if not isinstance(body, dict):
        raise TypeError("send a JSON object")
    return body


@switch
def clock_switch(method: str, body: Answer) -> Answer:
    """`{"advance": seconds}`, `{"set": epoch}` or `{"reset": true}`; runs the steps that become due."""
    if method == "POST":
        _move_clock(body)
    return {"now": clock.now(), "offset": clock.offset()}


def _move_clock(body: Answer) -> None:
    if "advance" in body:
        time_travel.move_by(float(body["advance"]))
    elif "set" in body:
        time_travel.move_to(float(body["set"]))
    elif body.get("reset"):
        time_travel.reset()
    else:
        raise ValueError("send advance, set or reset")


@switch
def faults_switch(method: str, body: Answer) -> Answer:
    """`{"kind", "method", "path", "count", "seconds"}` adds a fault; `{"clear": true}` removes all."""
    if method == "POST" and body.get("clear"):
        faults.clear()
    elif method == "POST":
        faults.add(faults.read_fault(body))
    return {"faults": faults.listed()}


@switch
def deliveries_switch(method: str, body: Answer) -> Answer:
    """GET lists deliveries; POST `{"mode", "types", "seconds", "count"}` or `{"release": true}`."""
    if method == "POST" and body.get("release"):
        modes.choose(modes.Mode())
        return {"released": queue.release_held(), "mode": modes.described()}
    if method == "POST" and "rotate_secret" in body:
        with store.writing():
            endpoint = fetch_from_parameter("webhook_endpoint", str(body["rotate_secret"]), param="rotate_secret")
            return {"secret": rotate_secret(endpoint)}
    if method == "POST":
        modes.choose(modes.read_mode(body))
        return {"mode": modes.described()}
    rows = Delivery.objects.order_by("-pk")
    if "event" in body:
        rows = rows.filter(event=body["event"])
    return {"mode": modes.described(), "deliveries": [queue.describe(row) for row in rows[:LISTED]]}


@switch
def methods_switch(method: str, body: Answer) -> Answer:
    """`{"types": ["card", "sepa_debit"]}`: what Checkout offers, as the Dashboard's settings do at Stripe."""
    if method == "POST":
        offered.enable_types([str(kind) for kind in body["types"]])
    return {"types": offered.offered_types("eur"), "currency": "eur"}


@switch
def drain_switch(_method: str, body: Answer) -> Answer:
    """Run due steps and wait for due deliveries; `{"timeout": seconds}`, 30 by default."""
    return {"drained": worker.drain(min(float(body.get("timeout", 30)), LONGEST_DRAIN))}


@switch
def resend_switch(_method: str, _body: Answer, event_id: str) -> Answer:
    """Send one event again to all endpoints that listen."""
    event = store.find_anywhere("event", event_id)
    if event is None:
        raise ApiError(f"No such event: '{event_id}'", status=404, code="resource_missing", param="id")
    return {"resent": queue.resend(event)}


@switch
def reset_switch(method: str, body: Answer) -> Answer:
    """Reset the sandbox: objects, idempotency keys, deliveries, faults, the delivery mode and the clock."""
    if method != "POST":
        raise ValueError("use POST to reset")
    faults.clear()
    modes.choose(modes.Mode())
    offered.enable_types(list(offered.USUAL))
    request_log.clear()
    with store.writing():
        keep = store.rows("webhook_endpoint") if body.get("keep_endpoints", True) else StoredObject.objects.none()
        kept = list(keep.values_list("object_id", flat=True))
        StoredObject.objects.exclude(object_id__in=kept).delete()
        for table in (DeliveryAttempt, Delivery, IdempotentAnswer, ScheduledStep):
            table.objects.all().delete()
        clock.move_offset(0.0)
        ensure_platform_account()
        ensure_configured_endpoint()
    return {"reset": True}
