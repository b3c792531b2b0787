"""Students as Stripe knows them: what their saved cards and subscriptions belong to."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models

from jobs.models import DurableWork


class Customer(DurableWork):
    """A person's customer at Stripe, from before it is created.

    As durable work it brings Stripe up to date: a trigger queues the row whenever the person's name or confirmed address
    changes, whatever changed it. Changed by `payments.customers` only.
    """

    queue = "stripe"
    lease = timedelta(seconds=60)
    max_attempts = 20

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="stripe_customer")
    # Sent in the metadata and part of the idempotency key; a new one when Stripe has deleted the customer.
    reference = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    stripe_customer_id = models.CharField(max_length=100, unique=True, null=True, blank=True)
    # As last sent to Stripe. Until the customer exists they stay as they are: the same key must always be sent with the
    # same request.
    sent_email = models.EmailField(blank=True, editable=False)
    sent_name = models.CharField(max_length=150, blank=True, editable=False)
    # When the call that creates it was made; another caller waits for that answer.
    asked_at = models.DateTimeField(null=True, editable=False)
    # Saved cards or the default may have changed at Stripe, so they must be read again; and when they were last asked for.
    refresh_requested_at = models.DateTimeField(null=True, editable=False)
    methods_as_of = models.DateTimeField(null=True, editable=False)
    # The person's data is to be erased: the customer is deleted at Stripe, with its saved cards.
    erase_requested_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return self.stripe_customer_id or f"customer of {self.user}"
