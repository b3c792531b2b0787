"""Access to the dashboard: only from this machine. There are no users, so other checks keep others out.

A page on the internet could make the developer's browser send forms to the sandbox; Django's CSRF cookie prevents that.
Foreign host names are refused, so that such a page cannot pose as the sandbox by DNS rebinding.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_protect

from sandbox import store
from sandbox.options import options

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
LOCAL_NAMES = frozenset(("127.0.0.1", "localhost", "[::1]"))


def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Wrap a dashboard view: acts as the platform, protects forms against CSRF, loads nothing from other sites."""
    protected = csrf_protect(view)

    @wraps(view)
    def answer(request: HttpRequest, *arguments: Any, **ids: Any) -> HttpResponse:
        store.act_for(None)
        if _name(request) not in _our_names():
            return render(request, "sandbox/dashboard_refused.html", {"why": "host"}, status=400)
        response = protected(request, *arguments, **ids)
        response["Content-Security-Policy"] = POLICY
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "same-origin"
        return response

    return answer


def _name(request: HttpRequest) -> str:
    host = request.get_host()
    return host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host


def _our_names() -> frozenset[str]:
    public = urlsplit(options().public_url).hostname or ""
    return LOCAL_NAMES | {public, options().host}


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form that did not come from the dashboard."""
    return render(request, "sandbox/dashboard_refused.html", {"why": "form", "reason": reason}, status=403)


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- named by Django
    """The page for an unknown URL."""
    return render(request, "sandbox/page_missing.html", status=404)
