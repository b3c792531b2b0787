"""Registers the sending of deliveries as durable work."""

from __future__ import annotations

from jobs.registry import performs
from webhooks.mails import queue_delivery_parked
from webhooks.models import Delivery, Endpoint
from webhooks.sending import send_delivery


def mail_owner(delivery: Delivery) -> None:
    """Tell the owner that a delivery was given up: it is their server, so staff are not alerted.

    The owner of a disabled endpoint has had another mail, and who switched one off knows.
    """
    endpoint = Endpoint.objects.select_related("user").get(pk=delivery.endpoint_id)
    if endpoint.is_enabled:
        queue_delivery_parked(endpoint)


performs(Delivery, when_parked=mail_owner)(send_delivery)
