"""The one way to keep Stripe objects: JSON bodies by id, written under one lock.

Keys of a body that begin with an underscore are the sandbox's own notes (a card's full number, say)
and are removed by `visible` before anybody outside sees the body.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

from django.db import transaction
from django.db.models import QuerySet

from sandbox import clock
from sandbox.models import StoredObject
from sandbox.options import options

Body: TypeAlias = dict[str, Any]

_REFERENCES = ("customer", "payment_intent", "charge", "product", "source", "status")
# Writers queue here instead of polling SQLite's busy handler: fair, and fast under a hundred payers.
_one_writer = threading.RLock()
_account: ContextVar[str | None] = ContextVar("account", default=None)


class NotStored(LookupError):
    """No object of that kind has that id."""


def acting_account() -> str:
    """The account this request acts for; the platform unless a Stripe-Account header said otherwise."""
    return _account.get() or options().account_id


def act_for(account: str | None) -> None:
    """Choose the account of the current request; None is the platform."""
    _account.set(account)


@contextmanager
def acting_for(account: str | None) -> Iterator[None]:
    """Act for another account for a while: a transfer, say, writes on both sides."""
    token = _account.set(account)
    try:
        yield
    finally:
        _account.reset(token)


@contextmanager
def writing() -> Iterator[None]:
    """A short write transaction; commits at the end, and only then lets webhooks out."""
    with _one_writer, transaction.atomic():
        yield


def _columns(body: Body) -> Body:
    columns = {name: body[name] if isinstance(body.get(name), str) else "" for name in _REFERENCES}
    subtype = body.get("type")
    return columns | {"subtype": subtype if isinstance(subtype, str) else ""}


def insert(body: Body) -> Body:
    """Store a new object under its own `id` and `object`."""
    StoredObject.objects.create(
        object_id=body["id"],
        kind=body["object"],
        account=acting_account(),
        created=body.get("created", clock.now()),
        body=body,
        **_columns(body),
    )
    return body


def save(body: Body) -> Body:
    """Store a new state of an object."""
    StoredObject.objects.filter(object_id=body["id"]).update(body=body, **_columns(body))
    return body


def mark_deleted(body: Body) -> Body:
    """Replace an object by the stub Stripe leaves behind, which stays readable for those that point at it."""
    stub = {"id": body["id"], "object": body["object"], "deleted": True}
    StoredObject.objects.filter(object_id=body["id"]).update(body=stub, is_deleted=True, **_columns(stub))
    return stub


def find(kind: str, object_id: str) -> Body | None:
    """The object of the acting account, or None. Accounts themselves are seen by everybody, as the platform sees them.

    `kind` "*" finds any: the source of a balance transaction may be of many kinds.
    """
    rows = StoredObject.objects.filter(object_id=object_id)
    if kind != "*":
        rows = rows.filter(kind=kind)
    if kind != "account":
        rows = rows.filter(account=acting_account())
    row = rows.values_list("body", flat=True).first()
    return row if row is None else dict(row)


def find_anywhere(kind: str, object_id: str) -> Body | None:
    """The object whichever account it belongs to, or None. For the sandbox's own work, never for a caller."""
    row = StoredObject.objects.filter(object_id=object_id, kind=kind).values_list("body", flat=True).first()
    return row if row is None else dict(row)


def owner_of(object_id: str) -> str:
    """The account an object belongs to. Raises NotStored."""
    owner = StoredObject.objects.filter(object_id=object_id).values_list("account", flat=True).first()
    if owner is None:
        raise NotStored(object_id)
    return str(owner)


def fetch(kind: str, object_id: str) -> Body:
    """The object. Raises NotStored."""
    body = find(kind, object_id)
    if body is None:
        raise NotStored(f"{kind} {object_id}")
    return body


def rows(kind: str) -> QuerySet[StoredObject]:
    """The living objects of a kind in the acting account."""
    return StoredObject.objects.filter(kind=kind, account=acting_account(), is_deleted=False)


def visible(body: Body) -> Body:
    """The body without the sandbox's own notes."""
    return {key: value for key, value in body.items() if not key.startswith("_")}
