"""Signals about webhooks and Stripe, for what watches them from above. Receivers must not touch the database."""

from django.dispatch import Signal

# A request to the webhook endpoint was answered: `event_type` ("" if it was refused) and `outcome` (stored, repeated,
# refused, not_stored).
webhook_answered = Signal()
# The circuit around Stripe opened or closed in this process: `is_down`.
stripe_availability_changed = Signal()
