"""What a visitor gets when something broke: an error page, or, where waiting helps, a 503 that says for how long."""

from __future__ import annotations

import sys
from typing import TypeGuard

import structlog
from django.db import DatabaseError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import get_template
from django.views import defaults
from psycopg.errors import IdleInTransactionSessionTimeout

log = structlog.get_logger(__name__)

_RETRY_AFTER_SECONDS = 5


def answer_failure(request: HttpRequest) -> HttpResponseBase:
    """Answer for the exception being handled. Django's handler500.

    An OperationalError is none of the request's doing: a lock or a statement that took longer than its limit, a deadlock,
    a database that restarts or has no connection left. The same request may succeed in a moment.
    """
    error = sys.exception()
    if not _may_pass(error):
        return defaults.server_error(request)
    log.warning("database_busy", sqlstate=getattr(error.__cause__, "sqlstate", None), problem=str(error))
    response = _busy_in_json() if request.path_info.startswith("/api/") else _busy_page()
    response.headers["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    return response


def _may_pass(error: BaseException | None) -> TypeGuard[DatabaseError]:
    # psycopg counts a transaction ended for idling among the driver's own mistakes.
    is_ended = isinstance(error, InternalError) and isinstance(error.__cause__, IdleInTransactionSessionTimeout)
    return isinstance(error, OperationalError) or is_ended


def _busy_page() -> HttpResponse:
    # Without the request: who sent it is known to the database.
    return HttpResponse(get_template("503.html").render(), status=503)


def _busy_in_json() -> HttpResponse:
    return JsonResponse({"title": "Busy. Please try again in a moment.", "status": 503}, status=503)
