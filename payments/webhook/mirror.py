"""Keep dj-stripe's tables in step with Stripe, for reading and joining by id. Nothing is decided from them.

dj-stripe finds the owner of what it reads by its API key, and stores that key in clear in a table of its own. There is
one platform account here, so its one look-up by key is answered with that account, and a trigger refuses any key.
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
    "payment_intent": mirrored.PaymentIntent,
    "payment_method": mirrored.PaymentMethod,
    "price": mirrored.Price,
    "product": mirrored.Product,
    "refund": mirrored.Refund,
}
# Events are in the inbox already.
_EVENT: Final = "event"
_ID_LENGTH_AT_MOST: Final = 100
# Events about one payment come in a burst; a moment's wait turns them into one reading per object.
_GATHER: Final = timedelta(seconds=8)


def ask_mirror_to_keep(stripe_id: str, payload: Mapping[str, Any] | None = None) -> None:
    """Put an event in line to be kept by dj-stripe, and its object and charge to be read again. One statement."""
    _put_in_line([(_EVENT, stripe_id), *(_objects_in(payload) if payload else [])])


def ask_mirror_to_read(payload: Mapping[str, Any]) -> None:
    """Put an object in line to be read again, and its charge. One statement, whatever was in line before."""
    _put_in_line(_objects_in(payload))


def _objects_in(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    # We listen for no events of charges; what changes one tells of it in an event of its own.
    candidates = (
        (payload.get("object"), payload.get("id")),
        ("charge", payload.get("latest_charge") or payload.get("charge")),
    )
    return [(str(name), str(object_id)) for name, object_id in candidates if _is_mirrored(name, object_id)]


def _put_in_line(wanted: list[tuple[str, str]]) -> None:
    if not wanted:
        return
    table = connection.ops.quote_name(MirrorSync._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {table} (object_type, object_id, run_after)
            SELECT asked.object_type, asked.object_id, statement_timestamp() + make_interval(secs => %s)
              FROM unnest(%s::text[], %s::text[]) AS asked (object_type, object_id)
            ON CONFLICT (object_type, object_id) DO UPDATE
               SET state = 'waiting', attempts = 0, run_after = EXCLUDED.run_after, finished_at = NULL
            """,  # noqa: S608  # our own table's name
            [_GATHER.total_seconds(), [name for name, _ in wanted], [object_id for _, object_id in wanted]],
        )
    wake_after_commit(MirrorSync)


def _is_mirrored(object_type: object, object_id: object) -> bool:
    # The effect is part of the same transaction: an id that does not fit the column must not undo a delivery.
    is_ours = isinstance(object_type, str) and object_type in _MODELS
    return is_ours and isinstance(object_id, str) and len(object_id) <= _ID_LENGTH_AT_MOST


def read_into_mirror(*, object_type: str, object_id: str) -> None:
    """Read one object from Stripe and store it. Safe to repeat; raises stripe.StripeError if Stripe does not answer.

    An event is stored as it was delivered, without a call.
    """
    if object_type == _EVENT:
        _keep_event(object_id)
        return
    model = _MODELS.get(object_type)
    if model is None:
        raise WorkParked(f"dj-stripe mirrors no {object_type}")
    # dj-stripe asks through stripe-python's own client, which would wait 80 seconds for an answer.
    stripe.default_http_client = http_client()
    try:
        fresh = model(id=object_id).api_retrieve(
            api_key=settings.STRIPE_SECRET_KEY, stripe_account=_platform_account_id()
        )
    except stripe.InvalidRequestError as error:
        raise WorkParked(f"Stripe does not have it: {error.user_message}") from error
    model.sync_from_stripe_data(fresh, api_key=settings.STRIPE_SECRET_KEY)


def _keep_event(stripe_id: str) -> None:
    """Write dj-stripe's row of an event from the inbox. Its signals are not sent: nothing here listens to them."""
    payload = WebhookEvent.objects.filter(stripe_id=stripe_id).values_list("payload", flat=True).first()
    if payload is None:
        return  # kept long enough, and deleted
    request = payload.get("request")
    # Before 2017 the id alone stood here.
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
            # Without asking Stripe whose it is, which dj-stripe would do.
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
    """dj-stripe's rows of events, which hold what the inbox holds and go when it goes."""
    rows: QuerySet[Any] = mirrored.Event.objects.filter(djstripe_created__lt=Now() - kept)
    return rows


def _platform_account(cls: type[mirrored.Account], api_key: str) -> mirrored.Account:  # noqa: ARG001  # dj-stripe's signature
    """The platform's account as a row, made without asking whose key this is."""
    account, _ = cls.objects.get_or_create(
        id=_platform_account_id(), defaults={"livemode": settings.STRIPE_LIVE_MODE, "stripe_data": {}}
    )
    return account


@cache
def _platform_account_id() -> str:
    """The platform's account. Read once per process where no variable names it."""
    if settings.STRIPE_ACCOUNT_ID:
        return str(settings.STRIPE_ACCOUNT_ID)
    return str(stripe.Account.retrieve(api_key=settings.STRIPE_SECRET_KEY).id)


# The only place where dj-stripe would create a row with our secret key in it.
mirrored.Account.get_or_retrieve_for_api_key = classmethod(_platform_account)
