"""Tables of an object's related objects, one query each, and a timeline of the events about them."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from sandbox.dashboard.cells import Cell, Column, at, moment, object_of, text_of
from sandbox.dashboard.deliveries import delivery_states
from sandbox.dashboard.sections import section_of
from sandbox.dashboard.tables import PER_PAGE, Table, tabled
from sandbox.models import StoredObject
from sandbox.store import Body

MOST_EVENTS = 60
Rows = QuerySet[StoredObject]
# A related list: its kind, and a function that filters its rows by the object and the ids found so far.
Relation = tuple[str, Callable[[Rows, Body, Sequence[str]], Rows]]


def _by(**lookups: str) -> Callable[[Rows, Body, Sequence[str]], Rows]:
    """A filter for rows whose column or path in the body equals the object's value at a path."""

    def narrow(rows: Rows, body: Body, _ids: Sequence[str]) -> Rows:
        values = {lookup: at(body, path) for lookup, path in lookups.items()}
        return rows.filter(**values) if all(values.values()) else rows.none()

    return narrow


def _moved_by_any(rows: Rows, body: Body, ids: Sequence[str]) -> Rows:
    """Balance transactions of the object or of the related objects found so far."""
    return rows.filter(source__in=[body["id"], *ids])


def _paid_out_by(rows: Rows, body: Body, _ids: Sequence[str]) -> Rows:
    """The payout's own balance transaction, and those that it pays out."""
    return rows.filter(Q(payout=body["id"]) | Q(source=body["id"]))


def _of_account(_rows: Rows, body: Body, _ids: Sequence[str]) -> Rows:
    return StoredObject.objects.filter(account=body["id"])


RELATIONS: dict[str, tuple[Relation, ...]] = {
    "payment_intent": (
        ("charge", _by(payment_intent="id")),
        ("refund", _by(payment_intent="id")),
        ("dispute", _by(payment_intent="id")),
        ("balance_transaction", _moved_by_any),
        ("checkout.session", _by(payment_intent="id")),
    ),
    "charge": (
        ("refund", _by(charge="id")),
        ("dispute", _by(charge="id")),
        ("balance_transaction", _moved_by_any),
    ),
    "refund": (("balance_transaction", _moved_by_any),),
    "dispute": (("balance_transaction", _moved_by_any),),
    "customer": (
        ("payment_intent", _by(customer="id")),
        ("subscription", _by(customer="id")),
        ("invoice", _by(customer="id")),
        ("payment_method", _by(customer="id")),
    ),
    "subscription": (("invoice", _by(source="id")),),
    "invoice": (("invoice_payment", _by(body__invoice="id")),),
    "product": (("price", _by(product="id")),),
    "coupon": (("promotion_code", _by(body__promotion__coupon="id")),),
    "payout": (("balance_transaction", _paid_out_by),),
    "transfer": (("balance_transaction", _moved_by_any),),
    "application_fee": (("balance_transaction", _moved_by_any),),
    "account": (
        ("transfer", _by(body__destination="id")),
        ("payout", _of_account),
        ("charge", _of_account),
        ("balance_transaction", _of_account),
    ),
    "test_helpers.test_clock": (
        ("customer", _by(body__test_clock="id")),
        ("subscription", _by(body__test_clock="id")),
    ),
}


def tables_of(body: Body, account: str) -> tuple[list[Table], list[str]]:
    """The related tables that are not empty, and the ids in them."""
    tables: list[Table] = []
    ids: list[str] = []
    for kind, narrow in RELATIONS.get(body["object"], ()):
        rows = narrow(StoredObject.objects.filter(account=account), body, ids).filter(kind=kind, is_deleted=False)
        found = list(rows.order_by("-sequence").values_list("body", flat=True)[: PER_PAGE + 1])
        if found:
            section = section_of(kind)
            if section.enrich:
                section.enrich(found)
            tables.append(tabled(section.title, section.columns, found))
            ids += [one["id"] for one in found[:PER_PAGE]]
    return tables, ids


def timeline_of(body: Body, ids: Sequence[str]) -> Table:
    """The events about an object and its related objects, newest first, each with its delivery state."""
    about = Q(source__in=[body["id"], *ids])
    rows = StoredObject.objects.filter(about, kind="event").order_by("-sequence")
    events: list[Body] = list(rows.values_list("body", flat=True)[: MOST_EVENTS + 1])
    states = delivery_states([event["id"] for event in events])

    def delivered(event: Body) -> Cell:
        return states.get(event["id"]) or text_of(None)

    columns = (
        Column("Event", lambda event: object_of(event["id"], event["type"])),
        Column("About", lambda event: object_of(at(event, "data.object.id"))),
        Column("Changed", lambda event: text_of(_changed(event))),
        Column("Delivered", delivered),
        moment("When"),
    )
    return tabled("Timeline", columns, events, nothing="No events about it.", limit=MOST_EVENTS)


def _changed(event: Body) -> str:
    """The names of the fields that an update changed."""
    previous: Any = at(event, "data.previous_attributes")
    return ", ".join(previous) if isinstance(previous, dict) else ""
