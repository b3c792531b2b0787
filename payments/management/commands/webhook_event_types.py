"""Print the types of event that the webhook endpoints at Stripe must send."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from payments.webhook.event_types import LISTENED_FOR, LISTENED_FOR_ON_ACCOUNTS


class Command(BaseCommand):
    """Prints them separated by commas, as `stripe listen --events` takes them."""

    help = "Print the types of event the webhook endpoint at Stripe must send, separated by commas."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--accounts", action="store_true", help="those of the endpoint for events on connected accounts"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        self.stdout.write(",".join(LISTENED_FOR_ON_ACCOUNTS if options["accounts"] else LISTENED_FOR))
