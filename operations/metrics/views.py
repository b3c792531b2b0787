"""The pages for machines: /healthz, /readyz and /metrics."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST

from operations.metrics.exposition import all_metrics
from operations.metrics.guard import may_read_metrics
from operations.metrics.readiness import read_readiness


def show_health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # a view
    """Answer that this process is alive. Whatever else is down, restarting it would not help."""
    return _not_stored(HttpResponse("alive\n", content_type="text/plain"))


def show_readiness(request: HttpRequest) -> HttpResponse:
    """Answer 200 if this process can serve people, 503 if not, and say which part is missing.

    Without Redis pages and webhooks work on, and deliveries wait, so the site stays in service; with `?strict=1`, for
    those who watch it, that is a 503, too.
    """
    readiness = read_readiness()
    is_enough = readiness.is_whole if request.GET.get("strict") == "1" else readiness.can_serve
    parts = {name: "ok" if is_well else "down" for name, is_well in readiness.parts.items()}
    status = "ok" if readiness.is_whole else "degraded" if readiness.can_serve else "down"
    return _not_stored(JsonResponse({"status": status, **parts}, status=200 if is_enough else 503))


def show_metrics(request: HttpRequest) -> HttpResponse:
    """Answer all metrics of this machine, in Prometheus' text format; 404 to everyone who may not read them."""
    if not may_read_metrics(request.META):
        return _not_stored(HttpResponse("Not found\n", status=404, content_type="text/plain"))
    return _not_stored(HttpResponse(all_metrics(), content_type=CONTENT_TYPE_LATEST))


def _not_stored(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response
