"""The rows of payments that are deleted after a time."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from jobs.retention import Kept
from payments.models import Cart, Customer, MirrorSync, Order, WebhookEvent
from payments.webhook import mirror


def expired_events(kept: timedelta) -> QuerySet[WebhookEvent]:
    """Finished webhook events that arrived longer ago than `kept`; their attempts are deleted with them.

    Events that wait, are parked or are quarantined may need staff, so they stay, however old.
    """
    return WebhookEvent.objects.filter(state=WebhookEvent.State.DONE, is_quarantined=False, created_at__lt=Now() - kept)


def expired_syncs(kept: timedelta) -> QuerySet[MirrorSync]:
    """Finished copies of Stripe's objects. The next event about an object creates a new row."""
    return MirrorSync.objects.filter(state=MirrorSync.State.DONE, finished_at__lt=Now() - kept)


def expired_guest_carts(kept: timedelta) -> QuerySet[Cart]:
    """Carts of guests, and of single items, that were not used for `kept`. The guests' sessions expired before.

    One whose order may still be paid stays.
    """
    unpaid = Order.objects.filter(
        cart=OuterRef("pk"), state__in=[Order.State.AWAITING_PAYMENT, Order.State.PAYMENT_PENDING]
    )
    return Cart.objects.filter(~Exists(unpaid), user=None, updated_at__lt=Now() - kept)


def expired_customers(kept: timedelta) -> QuerySet[Customer]:
    """What is left of customers that were erased at Stripe."""
    return Customer.objects.filter(
        state=Customer.State.DONE,
        stripe_customer_id=None,
        erase_requested_at__lt=Now() - kept,
        finished_at__isnull=False,
    )


RETENTION = (
    Kept(name="payments.webhook_events", setting="WEBHOOK_EVENTS_KEPT", expired=expired_events),
    Kept(name="payments.mirrored_events", setting="WEBHOOK_EVENTS_KEPT", expired=mirror.expired_events),
    Kept(name="payments.mirror_syncs", setting="FINISHED_SYNCS_KEPT", expired=expired_syncs),
    Kept(name="payments.erased_customers", setting="FINISHED_SYNCS_KEPT", expired=expired_customers),
    Kept(name="payments.guest_carts", setting="GUEST_CARTS_KEPT", expired=expired_guest_carts),
)
