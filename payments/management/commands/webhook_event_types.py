"""Print the types of event that the webhook endpoint at Stripe must send."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from payments.webhook.event_types import LISTENED_FOR


class Command(BaseCommand):
    """Prints them separated by commas, as `stripe listen --events` takes them."""

    help = "Print the types of event the webhook endpoint at Stripe must send, separated by commas."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        self.stdout.write(",".join(LISTENED_FOR))
