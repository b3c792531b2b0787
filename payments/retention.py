"""What payments does not keep for ever."""

from __future__ import annotations

from importlib import import_module

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from payments.models import Cart, CartLine, EventAttempt, WebhookEvent

log = structlog.get_logger()


def delete_old_events(*, batch: int = 500) -> int:
    """Delete finished webhook events that arrived longer ago than they are kept, with their tries; returns how many.

    What is parked, waits or is quarantined needs somebody and stays, however old. May run twice at once.
    """
    deleted = 0
    while count := _delete_batch(batch):
        deleted += count
    if deleted:
        log.info("old_events_deleted", count=deleted)
    return deleted


def delete_old_guest_carts(*, batch: int = 500) -> int:
    """Delete carts that guests have not used for as long as they are kept, and sessions that ended; returns how many carts."""
    deleted = 0
    while count := _delete_carts(batch):
        deleted += count
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    if deleted:
        log.info("old_guest_carts_deleted", count=deleted)
    return deleted


@transaction.atomic
def _delete_carts(size: int) -> int:
    # One that its guest uses at this moment is passed over.
    picked = list(
        Cart.objects.select_for_update(skip_locked=True)
        .filter(user=None, updated_at__lt=Now() - settings.GUEST_CARTS_KEPT)
        .order_by("updated_at")
        .values_list("pk", flat=True)[:size]
    )
    CartLine.objects.filter(cart__in=picked).delete()
    Cart.objects.filter(pk__in=picked).delete()
    return len(picked)


@transaction.atomic
def _delete_batch(size: int) -> int:
    # An event that staff replay at this moment is passed over: it is not finished any more once they are done.
    picked = list(
        WebhookEvent.objects.select_for_update(skip_locked=True)
        .filter(
            state=WebhookEvent.State.DONE,
            is_quarantined=False,
            created_at__lt=Now() - settings.WEBHOOK_EVENTS_KEPT,
        )
        .order_by("pk")
        .values_list("pk", flat=True)[:size]
    )
    EventAttempt.objects.filter(event_id__in=picked).delete()
    WebhookEvent.objects.filter(pk__in=picked).only("pk").delete()
    return len(picked)
