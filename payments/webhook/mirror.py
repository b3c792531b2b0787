"""Keep dj-stripe's tables up to date with Stripe, for reading and joining by id. No decision depends on them.

dj-stripe finds the owner of an object by the API key, and stores that key unencrypted in a table of its own. Here there
is one platform account, so the look-up by key is replaced by that account, and a trigger refuses any key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import stripe
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from djstripe import models as mirrored

from jobs.models import WorkParked
from jobs.wakeups import wake_after_commit
from payments.models import MirrorSync, WebhookEvent
from payments.stripe_http import http_client

_MODELS: Final[Mapping[str, Any]] = {
    "charge": mirrored.Charge,
    "checkout.session": mirrored.Session,
    "customer": mirrored.Customer,
    "dispute": mirrored.Dispute,
    "payment_intent": mirrored.PaymentIntent,
    "payment_method": mirrored.PaymentMethod,
    "price": mirrored.Price,
    "product": mirrored.Product,
    "refund": mirrored.Refund,
}
# Events are in the inbox already.
_EVENT: Final = "event"
_ID_LENGTH_AT_MOST: Final = 100
# Events about one payment come in a burst; this delay turns them into one call per object.
_BURST: Final = timedelta(seconds=8)


def request_event_copy(stripe_id: str, payload: Mapping[str, Any] | None = None) -> None:
    """Queue an event to be copied to dj-stripe's tables, and its object and charge to be read again. One statement."""
    _queue([(_EVENT, stripe_id), *(_objects_in(payload) if payload else [])])


def request_object_copy(payload: Mapping[str, Any]) -> None:
    """Queue an object and its charge to be read again. One statement, whether or not they were queued before."""
    _queue(_objects_in(payload))


def _objects_in(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    # We do not listen for events of charges: what changes a charge has an event of its own.
    candidates = (
        (payload.get("object"), payload.get("id")),
        ("charge", payload.get("latest_charge") or payload.get("charge")),
    )
    return [(str(name), str(object_id)) for name, object_id in candidates if _is_mirrored(name, object_id)]


def _queue(wanted: list[tuple[str, str]]) -> None:
    if not wanted:
        return
    table = connection.ops.quote_name(MirrorSync._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {table} (object_type, object_id, run_after)
            SELECT wanted.object_type, wanted.object_id, statement_timestamp() + make_interval(secs => %s)
              FROM unnest(%s::text[], %s::text[]) AS wanted (object_type, object_id)
            ON CONFLICT (object_type, object_id) DO UPDATE
               SET state = 'waiting', attempts = 0, run_after = EXCLUDED.run_after, finished_at = NULL
            """,  # noqa: S608  # our own table's name
            [_BURST.total_seconds(), [name for name, _ in wanted], [object_id for _, object_id in wanted]],
        )
    wake_after_commit(MirrorSync)


def _is_mirrored(object_type: object, object_id: object) -> bool:
    # The delivery is part of the same transaction: an id that does not fit the column must not roll it back.
    is_ours = isinstance(object_type, str) and object_type in _MODELS
    return is_ours and isinstance(object_id, str) and len(object_id) <= _ID_LENGTH_AT_MOST


def read_into_mirror(*, object_type: str, object_id: str) -> None:
    """Copy one object from Stripe. Safe to repeat; raises stripe.StripeError if Stripe does not answer.

    An event is copied from the inbox, without a call.
    """
    if object_type == _EVENT:
        _copy_event(object_id)
        return
    model = _MODELS.get(object_type)
    if model is None:
        raise WorkParked(f"dj-stripe mirrors no {object_type}")
    # dj-stripe uses stripe-python's default client, which would wait 80 seconds for an answer.
    stripe.default_http_client = http_client()
    try:
        fresh = model(id=object_id).api_retrieve(
            api_key=settings.STRIPE_SECRET_KEY, stripe_account=_platform_account_id()
        )
    except stripe.InvalidRequestError as error:
        raise WorkParked(f"Stripe does not have it: {error.user_message}") from error
    model.sync_from_stripe_data(fresh, api_key=settings.STRIPE_SECRET_KEY)


def _copy_event(stripe_id: str) -> None:
    """Write dj-stripe's row of an event from the inbox. Its signals are not sent; nothing here listens to them."""
    payload = WebhookEvent.objects.filter(stripe_id=stripe_id).values_list("payload", flat=True).first()
    if payload is None:
        return  # deleted by retention
    request = payload.get("request")
    # Until 2017 this was the request's id alone.
    named = request if isinstance(request, Mapping) else {"id": request}
    mirrored.Event.objects.update_or_create(
        id=stripe_id,
        defaults={
            "type": payload["type"],
            "livemode": payload["livemode"],
            "created": _moment_or_none(payload.get("created")),
            "api_version": str(payload.get("api_version") or "")[:64],
            "request_id": str(named.get("id") or "")[:50],
            "idempotency_key": str(named.get("idempotency_key") or ""),
            "data": payload["data"],
            "stripe_data": payload,
            # dj-stripe would call Stripe for the owner.
            "djstripe_owner_account": mirrored.Account.objects.filter(
                id=payload.get("account") or settings.STRIPE_ACCOUNT_ID
            ).first(),
        },
    )


def _moment_or_none(seconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(str(seconds)), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def expired_events(kept: timedelta) -> QuerySet[Any]:
    """dj-stripe's copies of events that are older than `kept`, as in the inbox."""
    rows: QuerySet[Any] = mirrored.Event.objects.filter(djstripe_created__lt=Now() - kept)
    return rows


def _platform_account(cls: type[mirrored.Account], api_key: str) -> mirrored.Account:  # noqa: ARG001  # dj-stripe's signature
    """The row of the platform's account, created without a call to Stripe about the key."""
    account, _ = cls.objects.get_or_create(
        id=_platform_account_id(), defaults={"livemode": settings.STRIPE_LIVE_MODE, "stripe_data": {}}
    )
    return account


@cache
def _platform_account_id() -> str:
    """The id of the platform's account. Fetched once per process if no setting names it."""
    if settings.STRIPE_ACCOUNT_ID:
        return str(settings.STRIPE_ACCOUNT_ID)
    return str(stripe.Account.retrieve(api_key=settings.STRIPE_SECRET_KEY).id)


# dj-stripe's own function is the only one that would store our secret key.
mirrored.Account.get_or_retrieve_for_api_key = classmethod(_platform_account)
