"""The switches as JSON over HTTP, behind the same API key; README.md lists them."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

from django.http import HttpRequest, JsonResponse

from sandbox import clock, schedule, store
from sandbox.models import Delivery, IdempotentAnswer, ScheduledStep, StoredObject
from sandbox.protocol.authentication import authenticate
from sandbox.protocol.errors import ApiError
from sandbox.resources.account import ensure_platform_account
from sandbox.resources.webhook_endpoints import ensure_configured_endpoint, rotate_secret
from sandbox.switches import faults
from sandbox.webhooks import modes, queue, worker

Answer: TypeAlias = dict[str, Any]
LISTED = 200


def switch(view: Callable[..., Answer]) -> Callable[..., JsonResponse]:
    """Authenticate, read the JSON body, answer JSON; problems come back as 400 with a sentence."""

    @wraps(view)
    def answer(request: HttpRequest, **ids: str) -> JsonResponse:
        try:
            authenticate(request)
            body = json.loads(request.body or b"{}") if request.method == "POST" else request.GET.dict()
            return JsonResponse(view(request.method, body, **ids))
        except ApiError as error:
            return JsonResponse({"error": error.fields()}, status=error.status)
        except (ValueError, TypeError, KeyError) as error:
            return JsonResponse({"error": {"message": f"{type(error).__name__}: {error}"}}, status=400)

    return answer


@switch
def clock_switch(method: str, body: Answer) -> Answer:
    """`{"advance": seconds}`, `{"set": epoch}`, `{"reset": true}`; runs what became due."""
    if method == "POST":
        target = _new_offset(body)
        back = clock.offset() - target
        with store.writing():
            clock.move_offset(target)
            if back > 0:
                _keep_deliveries_due(back)
        schedule.run_due_steps()
        queue.delivery_arrived.set()
    return {"now": clock.now(), "offset": clock.offset()}


def _new_offset(body: Answer) -> float:
    if "advance" in body:
        return clock.offset() + float(body["advance"])
    if "set" in body:
        return clock.offset() + float(body["set"]) - clock.precise_now()
    if body.get("reset"):
        return 0.0
    raise ValueError("say advance, set or reset")


def _keep_deliveries_due(seconds: float) -> None:
    """Moving the clock back must not put off deliveries that were due."""
    for delivery in Delivery.objects.filter(state=Delivery.State.PENDING):
        delivery.next_attempt_at -= seconds
        delivery.save(update_fields=["next_attempt_at"])


@switch
def faults_switch(method: str, body: Answer) -> Answer:
    """`{"kind", "method", "path", "count", "seconds"}` adds a fault, `{"clear": true}` forgets all."""
    if method == "POST" and body.get("clear"):
        faults.clear()
    elif method == "POST":
        if body["kind"] not in faults.KINDS:
            raise ValueError(f"kind must be one of {', '.join(faults.KINDS)}")
        faults.add(
            faults.Fault(
                kind=body["kind"],
                method=body.get("method", "*").upper(),
                path=body.get("path", "/v1/*"),
                remaining=int(body.get("count", 1)),
                seconds=float(body.get("seconds", 0)),
            )
        )
    return {"faults": faults.listed()}


@switch
def deliveries_switch(method: str, body: Answer) -> Answer:
    """GET lists deliveries; POST `{"mode", "types", "seconds", "count"}` or `{"release": true}`."""
    if method == "POST" and body.get("release"):
        modes.choose(modes.Mode())
        return {"released": queue.release_held(), "mode": modes.described()}
    if method == "POST" and "rotate_secret" in body:
        with store.writing():
            return {"secret": rotate_secret(store.fetch("webhook_endpoint", body["rotate_secret"]))}
    if method == "POST":
        if body["mode"] not in modes.MODES:
            raise ValueError(f"mode must be one of {', '.join(modes.MODES)}")
        types, count = tuple(body.get("types", ())), body.get("count")
        modes.choose(modes.Mode(body["mode"], types, float(body.get("seconds", 1)), count))
        return {"mode": modes.described()}
    rows = Delivery.objects.order_by("-pk")
    if "event" in body:
        rows = rows.filter(event=body["event"])
    return {"mode": modes.described(), "deliveries": [queue.describe(row) for row in rows[:LISTED]]}


@switch
def drain_switch(_method: str, body: Answer) -> Answer:
    """Run what is due and wait for due deliveries; `{"timeout": seconds}`, 30 by default."""
    return {"drained": worker.drain(float(body.get("timeout", 30)))}


@switch
def resend_switch(_method: str, _body: Answer, event_id: str) -> Answer:
    """Send one event again to everyone who listens."""
    event = store.find("event", event_id)
    if event is None:
        raise ApiError(f"No such event: '{event_id}'", status=404, code="resource_missing", param="id")
    return {"resent": queue.resend(event)}


@switch
def reset_switch(method: str, body: Answer) -> Answer:
    """Back to an empty sandbox: objects, keys, deliveries, faults, modes and the clock."""
    if method != "POST":
        raise ValueError("reset with POST")
    faults.clear()
    modes.choose(modes.Mode())
    with store.writing():
        keep = store.rows("webhook_endpoint") if body.get("keep_endpoints", True) else StoredObject.objects.none()
        kept = list(keep.values_list("object_id", flat=True))
        StoredObject.objects.exclude(object_id__in=kept).delete()
        for table in (Delivery, IdempotentAnswer, ScheduledStep):
            table.objects.all().delete()
        clock.move_offset(0.0)
        ensure_platform_account()
        ensure_configured_endpoint()
    return {"reset": True}
