"""Repeated requests: the same key has one effect and gets one answer, however often and by however many connections.

Only answers of requests that had an effect are kept. A refused request changed nothing, so it may be sent again with
the same key, corrected or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import connection, transaction
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.problems import Problem, Refused
from integrations.endpoints import Endpoint, caller
from integrations.models import LONGEST_KEY, StoredAnswer

KEY_MISSING = Problem(
    "idempotency-key-missing", 400, "The request needs a key.", "Send a new UUID in the header `Idempotency-Key`."
)
KEY_INVALID = Problem(
    "idempotency-key-invalid", 400, "The key cannot be used.", f"Send 1 to {LONGEST_KEY} visible ASCII characters."
)
KEY_IN_USE = Problem(
    "idempotency-key-in-use", 409, "The same request is being carried out.", "Wait for `Retry-After`, then repeat it."
)
KEY_REUSED = Problem(
    "idempotency-key-reused", 422, "The key belongs to another request.", "Send a new key with every new request."
)
KEY_PROBLEMS = (KEY_MISSING, KEY_INVALID, KEY_IN_USE, KEY_REUSED)
# Longer than any request to Stripe is waited for. If the process dies, a repeat can continue after this.
_CLAIM_LASTS = timedelta(seconds=60)
_VISIBLE = range(0x21, 0x7F)

View = TypeVar("View", bound=Endpoint)
P = ParamSpec("P")


class Claim:
    """A request that is being carried out over several transactions."""

    def __init__(self, row: StoredAnswer | None) -> None:
        self._row = row

    @property
    def subject(self) -> str:
        """What an earlier, interrupted run of the same request made; empty if there was none."""
        return self._row.subject if self._row else ""

    def record(self, subject: str) -> None:
        """Store what the request makes. Call it in the transaction that makes it."""
        if self._row:
            self._row.subject = subject
            StoredAnswer.objects.filter(pk=self._row.pk).update(subject=subject)


def once(
    *, is_key_required: bool = True
) -> Callable[[Callable[Concatenate[View, Request, P], Response]], Callable[Concatenate[View, Request, P], Any]]:
    """Carry a method out in one transaction, together with its answer, once for each key."""

    def decorate(
        method: Callable[Concatenate[View, Request, P], Response],
    ) -> Callable[Concatenate[View, Request, P], Any]:
        @wraps(method)
        def carry_out(view: View, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Any:
            key = _read_key(request, is_required=is_key_required)
            fingerprint = _fingerprint(request)
            with transaction.atomic():
                if not key:
                    return method(view, request, *args, **kwargs)
                stored = _find(request, key, fingerprint)
                if stored is None:
                    stored = StoredAnswer(user=caller(request), key=key, fingerprint=fingerprint)
                    _fill(stored, method(view, request, *args, **kwargs))
                    stored.save(force_insert=True)
            return _as_response(stored)

        return carry_out

    return decorate


def once_over_transactions(
    *, is_key_required: bool = True
) -> Callable[[Callable[Concatenate[View, Request, P], Response]], Callable[Concatenate[View, Request, P], Any]]:
    """The same for a method that calls Stripe, which must not happen in a transaction.

    The view finds its claim as `view.claim`, and continues what an interrupted run began.
    """

    def decorate(
        method: Callable[Concatenate[View, Request, P], Response],
    ) -> Callable[Concatenate[View, Request, P], Any]:
        @wraps(method)
        def carry_out(view: View, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Any:
            key = _read_key(request, is_required=is_key_required)
            if not key:
                view.claim = Claim(None)  # type: ignore[attr-defined]  # only these views have one
                return method(view, request, *args, **kwargs)
            row = _claim(request, key, _fingerprint(request))
            if row.status is None:
                with _given_back(row):
                    view.claim = Claim(row)  # type: ignore[attr-defined]
                    _fill(row, method(view, request, *args, **kwargs))
                    row.save()
            return _as_response(row)

        return carry_out

    return decorate


def _read_key(request: Request, *, is_required: bool) -> str:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        if is_required:
            raise Refused(KEY_MISSING)
        return ""
    if not 1 <= len(key) <= LONGEST_KEY or not all(ord(character) in _VISIBLE for character in key):
        raise Refused(KEY_INVALID)
    return key


def _fingerprint(request: Request) -> str:
    parts = [(request.method or "").encode(), request.get_full_path().encode(), request.body]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def _find(request: Request, key: str, fingerprint: str) -> StoredAnswer | None:
    """The answer or claim for a key, which stays locked until the transaction ends. Raises Refused."""
    with connection.cursor() as cursor:
        # Not waited for: a slow request would otherwise hold a connection for each of its repetitions.
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 1))", [f"{caller(request).pk}:{key}"])
        (is_locked,) = cursor.fetchone() or (False,)
    if not is_locked:
        raise _in_use()
    stored = StoredAnswer.objects.filter(user=caller(request), key=key).first()
    if stored is not None and stored.fingerprint != fingerprint:
        raise Refused(KEY_REUSED)
    return stored


@transaction.atomic
def _claim(request: Request, key: str, fingerprint: str) -> StoredAnswer:
    """The answer for a key, or the claim to work it out. Raises Refused while another process has the claim."""
    now = timezone.now()
    row = _find(request, key, fingerprint)
    if row is None:
        row = StoredAnswer(user=caller(request), key=key, fingerprint=fingerprint)
    elif row.status is not None:
        return row
    elif row.claimed_until is not None and row.claimed_until > now:
        raise _in_use()
    row.claimed_until = now + _CLAIM_LASTS
    row.save()
    return row


@contextmanager
def _given_back(row: StoredAnswer) -> Any:
    """Give a claim back if its work raises: forget it if nothing was made, else let a repetition continue at once."""
    try:
        yield
    except BaseException:
        mine = StoredAnswer.objects.filter(pk=row.pk, status=None, claimed_until=row.claimed_until)
        if row.subject:
            mine.update(claimed_until=timezone.now())
        else:
            mine.delete()
        raise


def _fill(row: StoredAnswer, response: Response) -> None:
    row.status = response.status_code
    row.body = b"" if response.data is None else JSONRenderer().render(response.data)
    row.claimed_until = None


def _as_response(row: StoredAnswer) -> HttpResponse:
    response = HttpResponse(bytes(row.body or b""), status=row.status or 200, content_type="application/json")
    if not row.body:
        del response.headers["Content-Type"]
    return response


def _in_use() -> Refused:
    return Refused(KEY_IN_USE, headers={"Retry-After": "1"})
