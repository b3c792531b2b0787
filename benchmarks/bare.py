"""The least a correct webhook endpoint must do: verify the signature, insert one row, answer."""

import hmac
import json
import os
import threading
import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

import psycopg

_SECRET = os.environ["BENCH_WEBHOOK_SECRET"].encode()
_DATABASE = os.environ["BENCH_DATABASE_URL"]
_TOLERANCE_SECONDS = 300
_local = threading.local()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one delivery."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    parts = dict(part.split("=", 1) for part in environ.get("HTTP_STRIPE_SIGNATURE", "t=0,v1=").split(","))
    expected = hmac.new(_SECRET, parts["t"].encode() + b"." + body, sha256).hexdigest()
    if not hmac.compare_digest(expected, parts["v1"]) or abs(time.time() - int(parts["t"])) > _TOLERANCE_SECONDS:
        return _answer(start_response, "400 Bad Request", b"{}")
    event = json.loads(body)
    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(_DATABASE, autocommit=True)
    _local.connection.execute(
        "INSERT INTO bare_event (stripe_id, type, payload) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [event["id"], event["type"], body.decode()],
    )
    return _answer(start_response, "200 OK", b'{"status": "received"}')


def _answer(start_response: Callable[..., Any], status: str, content: bytes) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]
