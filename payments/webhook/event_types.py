"""The types of event Lectern asks Stripe for; every one of them has a route in `routing`.

Stripe advises against listening for more than one acts on (docs: "Webhooks", best practices): a purchase makes at
least five events, two of which are enough, and each of the others would be stored, acknowledged and worked on in the
very moments in which somebody waits for what they paid for. Free of Django, so that the demo can tell its sandbox.
"""

from typing import Final

LISTENED_FOR: Final = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "refund.created",
    "refund.updated",
    "refund.failed",
)
