"""Keep dj-stripe's tables in step with Stripe, for reading and joining by id. Nothing is decided from them.

dj-stripe finds an object's owner by its API key and stores that key in clear unless the object says which account it
was read from; so everything is read with the account named, and no key ever reaches a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any, Final

import stripe
from django.conf import settings
from django.db import connection
from djstripe import models as mirrored

from jobs.models import WorkParked
from jobs.waking import wake_after_commit
from payments.models import MirrorSync

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
# Events about one payment come in a burst; a moment's wait turns them into one reading per object.
_GATHER: Final = timedelta(seconds=3)


def ask_mirror_to_read(payload: Mapping[str, Any]) -> None:
    """Put an event's object in line to be read again. One statement, whatever was in line before."""
    object_type, object_id = payload.get("object"), payload.get("id")
    if object_type not in _MODELS or not isinstance(object_id, str):
        return
    table = connection.ops.quote_name(MirrorSync._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {table} (object_type, object_id, state, priority, attempts, last_error, run_after)
            VALUES (%s, %s, 'waiting', 0, 0, '', statement_timestamp() + %s)
            ON CONFLICT (object_type, object_id) DO UPDATE
               SET state = 'waiting', attempts = 0, run_after = EXCLUDED.run_after, finished_at = NULL
            """,  # noqa: S608  # our own table's name
            [object_type, object_id, _GATHER],
        )
    wake_after_commit(MirrorSync)


def read_into_mirror(*, object_type: str, object_id: str) -> None:
    """Read one object from Stripe and store it. Safe to repeat; raises stripe.StripeError if Stripe does not answer."""
    model = _MODELS.get(object_type)
    if model is None:
        raise WorkParked(f"dj-stripe mirrors no {object_type}")
    account_id = _own_account_id()
    try:
        fresh = model(id=object_id).api_retrieve(api_key=settings.STRIPE_SECRET_KEY, stripe_account=account_id)
    except stripe.InvalidRequestError as error:
        raise WorkParked(f"Stripe does not have it: {error.user_message}") from error
    model.sync_from_stripe_data(fresh, api_key=settings.STRIPE_SECRET_KEY)


@cache
def _own_account_id() -> str:
    """The platform's account. Read once per process where no variable names it."""
    if settings.STRIPE_ACCOUNT_ID:
        return str(settings.STRIPE_ACCOUNT_ID)
    account = stripe.Account.retrieve(api_key=settings.STRIPE_SECRET_KEY)
    return str(account.id)
