"""Count and time requests, and answer probes and Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from operations.metrics.instruments import REQUEST_SECONDS, REQUESTS
from operations.metrics.views import show_health, show_metrics, show_readiness
from payments.webhook.middleware import WEBHOOK_PATHS

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PROBES: Mapping[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "/healthz": show_health,
    "/readyz": show_readiness,
    "/metrics": show_metrics,
}


class ProbeMiddleware:
    """Answers the three addresses for machines before all other middleware.

    Load balancers and Kubernetes ask over plain HTTP, by the address of the machine instead of the host name; pages
    refuse both.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        view = _PROBES.get(request.path)
        return view(request) if view else self.get_response(request)


class MetricsMiddleware:
    """Counts every request but probes. Comes before webhooks are answered, so that these count, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        route = _route_of(request)
        method = request.method if request.method in _METHODS else "other"
        REQUESTS.labels(route, method, str(response.status_code)).inc()
        REQUEST_SECONDS.labels(route).observe(time.perf_counter() - began)
        return response


def _route_of(request: HttpRequest) -> str:
    """The name of the request's address, such as payments:order; none for what leads nowhere."""
    if request.path in WEBHOOK_PATHS:
        return "payments:webhook"
    match = request.resolver_match
    if match is None:
        # Answered by a middleware before it was resolved (a static file, a redirect), or not found.
        return "none"
    return match.view_name if match.url_name else "unnamed"
