"""The answers to failed requests: an error page, or a 503 with Retry-After if the request may succeed later."""

from __future__ import annotations

import sys
from typing import TypeGuard

import structlog
from django.db import DatabaseError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import get_template
from django.views import defaults
from django.views.csrf import csrf_failure
from psycopg.errors import IdleInTransactionSessionTimeout

from api.problems import BUSY, FAILED, FORBIDDEN, NOT_FOUND, UNREADABLE, is_for_api, problem_response

log = structlog.get_logger(__name__)

_RETRY_AFTER_SECONDS = 5


def answer_failure(request: HttpRequest) -> HttpResponseBase:
    """Answer for the exception being handled. Django's handler500.

    An OperationalError is not caused by the request itself: a lock or a statement exceeded its limit, there was a
    deadlock, or the database is restarting or has no free connection. The same request may succeed in a moment.
    """
    error = sys.exception()
    if not _may_pass(error):
        return problem_response(FAILED) if is_for_api(request) else defaults.server_error(request)
    log.warning("database_busy", sqlstate=getattr(error.__cause__, "sqlstate", None), problem=str(error))
    response = problem_response(BUSY) if is_for_api(request) else _busy_page()
    response.headers["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    return response


def _may_pass(error: BaseException | None) -> TypeGuard[DatabaseError]:
    # psycopg reports a transaction that was ended for idling as an internal error.
    is_ended = isinstance(error, InternalError) and isinstance(error.__cause__, IdleInTransactionSessionTimeout)
    return isinstance(error, OperationalError) or is_ended


def _busy_page() -> HttpResponse:
    # Without the request, because rendering its user would need the database.
    return HttpResponse(get_template("503.html").render(), status=503)


def answer_bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer a request that Django could not read. Django's handler400."""
    return problem_response(UNREADABLE) if is_for_api(request) else defaults.bad_request(request, exception)


def answer_forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer a PermissionDenied. Django's handler403."""
    return problem_response(FORBIDDEN) if is_for_api(request) else defaults.permission_denied(request, exception)


def answer_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer a missing page. Django's handler404."""
    return problem_response(NOT_FOUND) if is_for_api(request) else defaults.page_not_found(request, exception)


def answer_csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Answer a request without a valid CSRF token. Django's CSRF_FAILURE_VIEW."""
    return problem_response(FORBIDDEN) if is_for_api(request) else csrf_failure(request, reason=reason)
