"""The references that we write into Stripe's metadata, as read back."""

from __future__ import annotations

import uuid

from subscriptions.models import Subscription


def subscription_by_reference(text: str) -> Subscription | None:
    """The subscription with this reference; None for any other text, since people can edit metadata at Stripe."""
    try:
        reference = uuid.UUID(text)
    except ValueError:
        return None
    return Subscription.objects.filter(reference=reference).first()
