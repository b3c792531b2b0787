"""The entry point of the API: authenticate, decode, replay or execute, expand, respond."""

import json
import logging
import socket
import time

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.request import RawPostDataException

from sandbox import clock, request_log, store
from sandbox.options import options
from sandbox.protocol import amounts, idempotency, origin, versions
from sandbox.protocol.authentication import authenticate
from sandbox.protocol.errors import ApiError
from sandbox.protocol.expansion import expand
from sandbox.protocol.form import Malformed, Raw, decode
from sandbox.protocol.multipart import MULTIPART, decode_multipart
from sandbox.protocol.resource import presented
from sandbox.protocol.routing import Call, Route, match
from sandbox.store import Body
from sandbox.switches import faults

FORM = "application/x-www-form-urlencoded"
UPLOADS = ("/v1/files",)
MOST_LOGGED = 20_000
TOO_LARGE = 413
RATE_LIMITED = "rate_limit"
MOST_SWALLOWED, CHUNK = 64 * 1024 * 1024, 64 * 1024
logger = logging.getLogger(__name__)


def api(request: HttpRequest) -> HttpResponse:
    """Handle every request under /v1/."""
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    request_id = origin.begin(key).request_id or ""
    store.act_for(None)
    try:
        response = _answer(request, key, request_id)
    except ApiError as error:
        if error.status == TOO_LARGE:
            _swallow(request)
        response = _error_response(error, request_id)
    except Exception:
        logger.exception("%s %s failed in the sandbox itself", request.method, request.path)
        failure = ApiError("An unknown error occurred in the sandbox; see its log.", status=500, kind="api_error")
        response = _error_response(failure, request_id)
    response["Request-Id"] = request_id
    _name_version(request, response)
    if key:
        response["Idempotency-Key"] = key
    request_log.note_request(
        request_log.Entry(
            request_id=request_id,
            method=request.method or "",
            path=request.path,
            account=store.acting_account(),
            status=response.status_code,
            parameters=_sent_parameters(request),
            answer=response.content.decode(),
            at=clock.now(),
        )
    )
    return response


def _name_version(request: HttpRequest, response: HttpResponse) -> None:
    requested = request.headers.get("Stripe-Version")
    response["Stripe-Version"] = versions.answering_version(requested)
    warning = versions.warning_about(requested)
    if warning:
        response["Warning"] = warning


def _swallow(request: HttpRequest) -> None:
    """Read and discard a body that is too large: a client reads the response only after sending the whole request."""
    for _ in range(MOST_SWALLOWED // CHUNK):
        if not request.read(CHUNK):
            return


def _sent_parameters(request: HttpRequest) -> str:
    """The query string or form body as text for the log; empty if the body was not read."""
    if request.method != "POST":
        return str(request.META.get("QUERY_STRING", ""))
    try:
        return request.body[:MOST_LOGGED].decode(errors="replace")
    except (RawPostDataException, RequestDataTooBig, UnreadablePostError):
        return ""


def _answer(request: HttpRequest, key: str | None, request_id: str) -> HttpResponse:
    authenticate(request)
    versions.check_version(request.headers.get("Stripe-Version"))
    fault = faults.take(request.method or "GET", request.path)
    if fault:
        _refuse(fault)
    found = match(request.method or "GET", request.path)
    if found is None:
        raise ApiError(
            f"Unrecognized request URL ({request.method}: {request.path}). Please see https://stripe.com/docs or we "
            "can help at https://support.stripe.com/.",
            status=404,
        )
    raw = _decoded(request)
    versions.refuse_removed(request.path, raw, request.headers.get("Stripe-Version"))
    if key:
        with idempotency.reserved(key):
            _hang(fault)
            response = _once(found, raw, request.path, key, request_id)
    else:
        _hang(fault)
        status, text, _ = _execute(found, raw, is_write=request.method != "GET", request_id=request_id)
        response = _json(status, text)
    if fault and fault.kind == faults.DROP_REPLY:
        _hang_up(request)
    return response


def _once(
    found: tuple[Route, dict[str, str]], raw: dict[str, Raw], path: str, key: str, request_id: str
) -> HttpResponse:
    """Execute the call, or replay the response stored for its idempotency key."""
    params_fingerprint = idempotency.fingerprint(raw)
    earlier = idempotency.earlier_answer(key, path=path, params_fingerprint=params_fingerprint)
    if earlier:
        response = _json(earlier.status, earlier.answer)
        response["Idempotent-Replayed"] = "true"
        response["Original-Request"] = earlier.request_id
        return response
    with store.writing():
        status, text, is_executed = _execute(found, raw, is_write=True, request_id=request_id)
        if is_executed:
            idempotency.remember(
                key,
                path=path,
                params_fingerprint=params_fingerprint,
                status=status,
                answer=text,
                request_id=request_id,
            )
    return _json(status, text)


def _execute(
    found: tuple[Route, dict[str, str]], raw: dict[str, Raw], *, is_write: bool, request_id: str
) -> tuple[int, str, bool]:
    """Status, JSON text, and whether the call started to execute, so that its response is stored under its key."""
    route, ids = found
    try:
        params = route.accepts.read(raw, "") or {}
        if not is_write:
            return 200, _rendered(route, Call(params, ids)), True
        amounts.check_sent(params)
        with store.writing(), transaction.atomic():
            try:
                return 200, _rendered(route, Call(params, ids)), True
            except ApiError as error:
                if not error.keeps_changes:
                    raise
                return error.status, _error_text(error, request_id), True
    except ApiError as error:
        return error.status, _error_text(error, request_id), error.is_executed


def _rendered(route: Route, call: Call) -> str:
    body: Body = presented(route.handler(call))
    return json.dumps(expand(body, call.get("expand", [])))


def _decoded(request: HttpRequest) -> dict[str, Raw]:
    """The parameters of a call, from the query string and from the body if there is one."""
    encoded = request.META.get("QUERY_STRING", "").encode("latin-1")
    if request.method != "GET":
        content_type = request.content_type or FORM
        if content_type == MULTIPART and request.path in UPLOADS:
            return decode_multipart(request)
        encoded = b"&".join(filter(None, (encoded, _form_of(request, content_type))))
    try:
        return decode(encoded)
    except Malformed as error:
        raise ApiError(f"Invalid request: {error}.") from error


def _form_of(request: HttpRequest, content_type: str) -> bytes:
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise ApiError("A request with a body must have a Content-Length header.", status=411)
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise ApiError(
            f"The request is too large: it may have up to {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes.", status=413
        ) from error
    if body and content_type != FORM:
        raise ApiError(
            f"Invalid request (check that your POST content type is {FORM}). If you have questions, we can help at "
            "https://support.stripe.com/."
        )
    return body


def _hang(fault: faults.Fault | None) -> None:
    if fault and fault.kind == faults.HANG:
        time.sleep(fault.seconds)


def _refuse(fault: faults.Fault) -> None:
    if fault.kind == faults.RATE_LIMIT:
        raise ApiError(
            "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
            status=429,
            code=RATE_LIMITED,
        )
    if fault.kind == faults.SERVER_ERROR:
        raise ApiError(
            "An unknown error occurred; it was requested under /_sandbox/faults.", status=500, kind="api_error"
        )


def _hang_up(request: HttpRequest) -> None:
    """Close the connection without a response: the client cannot know that the call was executed."""
    connection: socket.socket | None = request.META.get("gunicorn.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)


def _json(status: int, text: str) -> HttpResponse:
    encoded = text.encode()
    # With a Content-Length, a response is sent as one packet instead of chunks.
    length = {"Content-Length": str(len(encoded))}
    return HttpResponse(encoded, status=status, content_type="application/json", headers=length)


def _error_text(error: ApiError, request_id: str) -> str:
    log_url = f"{options().public_url}/?request={request_id}"
    fields = error.fields() | {"request_log_url": log_url}
    for name in ("payment_intent", "payment_method", "setup_intent"):
        if name in fields:
            fields[name] = presented(fields[name])
    return json.dumps({"error": dict(sorted(fields.items()))})


def _error_response(error: ApiError, request_id: str) -> HttpResponse:
    response = _json(error.status, _error_text(error, request_id))
    if error.status == 401:  # noqa: PLR2004
        response["WWW-Authenticate"] = 'Basic realm="Stripe"'
    if error.code == RATE_LIMITED:
        # Names the limit that was exceeded (docs: "Rate limits"); a 429 from a lock timeout has no such header.
        response["Stripe-Rate-Limited-Reason"] = "global-rate"
    return response
