"""The store of all Stripe objects: JSON bodies by id, written under one lock.

Keys that begin with an underscore are internal (a card's full number, for example); `visible` removes them before a
client sees the body.

A payment reads and writes single objects about thirty times, so those operations use SQL directly (see `statements`).
The table and column names in it come from this module.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

from django.db import transaction
from django.db.models import QuerySet

from sandbox import clock, statements
from sandbox.models import StoredObject
from sandbox.options import options

Body: TypeAlias = dict[str, Any]

_REFERENCES = ("customer", "payment_intent", "charge", "product", "source")
_WORDS = ("status", "currency")
# Users may choose the ids of these kinds, so each account can have its own "SUMMER".
_NAMED_BY_USERS = ("coupon", "plan", "price", "product")
_EVENT, _MOVEMENT, _CODE = "event", "balance_transaction", "promotion_code"
# The path in each body to the object it belongs to, or to another value it is found by; the column `source` repeats it.
_FOUND_BY = {
    "checkout.session": ("subscription",),
    "customer": ("email",),
    "fee_refund": ("fee",),
    "file_link": ("file",),
    "invoice": ("parent", "subscription_details", "subscription"),
    "invoice_payment": ("invoice",),
    "invoiceitem": ("invoice",),
    "payout": ("destination",),
    "price": ("lookup_key",),
    "promotion_code": ("promotion", "coupon"),
    "setup_attempt": ("setup_intent",),
    "setup_intent": ("payment_method",),
    "transfer": ("source_transaction",),
    "transfer_reversal": ("transfer",),
}
# The field that the column `subtype` repeats, for kinds where it is not `type`.
_SUBTYPES = {"charge": "transfer_group", _CODE: "code", "transfer": "destination"}
_TABLE = StoredObject._meta.db_table
# Writers wait here instead of polling SQLite's busy handler: fair, and fast with a hundred concurrent payers.
_one_writer = threading.RLock()
_account: ContextVar[str | None] = ContextVar("account", default=None)


class NotStored(LookupError):
    """No object of that kind has that id."""


def acting_account() -> str:
    """The account of the current request: the platform, unless a Stripe-Account header names another."""
    return _account.get() or options().account_id


def act_for(account: str | None) -> None:
    """Set the account of the current request; None is the platform."""
    _account.set(account)


@contextmanager
def acting_for(account: str | None) -> Iterator[None]:
    """Act for another account within the block; a transfer, for example, writes to both accounts."""
    token = _account.set(account)
    try:
        yield
    finally:
        _account.reset(token)


@contextmanager
def writing() -> Iterator[None]:
    """A short write transaction. It commits at the end; webhooks are sent only after that."""
    with _one_writer, transaction.atomic():
        yield


def _columns(body: Body) -> Body:
    # An event is found by its object, and by the references of that object.
    subject = body["data"]["object"] if body["object"] == _EVENT and "data" in body else body
    columns = {name: _text(subject.get(name)) for name in _REFERENCES}
    if subject is body:
        columns |= {name: _text(body.get(name)) or "" for name in _WORDS}
    else:
        columns |= {"source": _text(subject.get("id")), **dict.fromkeys(_WORDS, "")}
    subtype = _text(body.get(_SUBTYPES.get(body["object"], "type"))) or ""
    # Promotion codes are looked up without regard to case, at each checkout and whenever a code is created.
    columns |= {"subtype": subtype.lower() if body["object"] == _CODE else subtype, "payout": None}
    if body["object"] in _FOUND_BY:
        columns["source"] = _at(body, _FOUND_BY[body["object"]])
    if body["object"] == _MOVEMENT:
        columns |= {"net": body["net"], "available_on": body["available_on"], "payout": body.get("_payout")}
    return columns


def _at(body: Body, path: tuple[str, ...]) -> str | None:
    value: Any = body
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return _text(value)


def _text(value: Any) -> str | None:
    """The text, or None for an absent value, which is NULL in its column and needs no index entry."""
    return value if value and isinstance(value, str) else None


def insert(body: Body) -> Body:
    """Store a new object under its own `id` and `object`."""
    columns = _columns(body) | {
        "object_id": body["id"],
        "kind": body["object"],
        "account": acting_account(),
        "created": body.get("created", clock.now()),
        "body": json.dumps(body),
        "is_deleted": False,
    }
    statements.insert_into(_TABLE, columns)
    return body


def save(body: Body) -> Body:
    """Store a new state of an object."""
    _update(body, _columns(body) | {"body": json.dumps(body)})
    return body


def _update(body: Body, columns: Body) -> None:
    where = {"object_id": body["id"], "kind": body["object"]}
    if body["object"] in _NAMED_BY_USERS:
        where["account"] = acting_account()
    settings = ", ".join(f"{name} = ?" for name in columns)
    statements.run(f"UPDATE {_TABLE} SET {settings} {_where(where)}", [*columns.values(), *where.values()])  # noqa: S608


def _where(conditions: Mapping[str, Any]) -> str:
    return "WHERE " + " AND ".join(f"{name} = ?" for name in conditions)


def mark_deleted(body: Body) -> Body:
    """Replace an object with the stub that Stripe keeps, so that references to it can still be read."""
    stub = {"id": body["id"], "object": body["object"], "deleted": True}
    _update(body, _columns(stub) | {"body": json.dumps(stub), "is_deleted": True})
    return stub


def revive(body: Body) -> Body:
    """Store a new object under the id of a deleted one: ids that users choose may be used again."""
    _update(body, {"is_deleted": False, "created": body["created"]})
    return save(body)


def find(kind: str, object_id: str) -> Body | None:
    """The acting account's object, or None. Account objects are visible from every account.

    `kind` "*" matches any kind: the source of a balance transaction may be of many kinds.
    """
    conditions = {"object_id": object_id}
    if kind != "*":
        conditions["kind"] = kind
    if kind != "account":
        conditions["account"] = acting_account()
    return next(iter(_bodies(conditions)), None)


def existing(kind: str, *, status: str) -> list[Body]:
    """The acting account's objects of a kind and status, without deleted ones, oldest first."""
    return _bodies({"kind": kind, "account": acting_account(), "status": status, "is_deleted": False})


def _bodies(conditions: Mapping[str, str | bool]) -> list[Body]:
    found = statements.run(f"SELECT body FROM {_TABLE} {_where(conditions)} ORDER BY sequence", [*conditions.values()])  # noqa: S608
    return [json.loads(text) for (text,) in found]


def sequence_of(kind: str, object_id: str) -> int | None:
    """An object's position in the order of creation; None if the acting account has no such object."""
    return _called(kind, object_id).values_list("sequence", flat=True).first()


def _called(kind: str, object_id: str) -> QuerySet[StoredObject]:
    rows = StoredObject.objects.filter(object_id=object_id)
    if kind != "*":
        rows = rows.filter(kind=kind)
    return rows if kind == "account" else rows.filter(account=acting_account())


def find_anywhere(kind: str, object_id: str) -> Body | None:
    """The object on any account, or None. Only for ids that the sandbox wrote itself, never for ids from a caller.

    `kind` "*" matches any kind.
    """
    return next(
        iter(_bodies({"object_id": object_id} if kind == "*" else {"object_id": object_id, "kind": kind})), None
    )


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
    """The acting account's objects of a kind, without deleted ones."""
    return StoredObject.objects.filter(kind=kind, account=acting_account(), is_deleted=False)


def visible(body: Body) -> Body:
    """The body without its internal keys."""
    return {key: value for key, value in body.items() if not key.startswith("_")}
