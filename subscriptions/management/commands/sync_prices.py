"""Bring products and prices to Stripe's catalogue."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments.stripe_api import StripeRefused, StripeUnreachable
from subscriptions.item_sync import sync_all_items
from subscriptions.price_sync import sync_all_plans


class Command(BaseCommand):
    """Prints each price with its id at Stripe. A repeat changes nothing."""

    help = "Create or update the products and prices of all plans at Stripe, and store their ids."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--items",
            action="store_true",
            help="Also what is sold once: courses, workshops and lessons on sale. Payments do not need it.",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        try:
            done = sync_all_plans()
            for line in done:
                self.stdout.write(line)
            self.stdout.write(f"{len(done)} prices of plans are at Stripe.")
            if options["items"]:
                self._sync_items()
        except (StripeUnreachable, StripeRefused) as problem:
            raise CommandError(f"{problem} What was done remains; run it again.", returncode=2) from problem

    def _sync_items(self) -> None:
        count = 0
        for line in sync_all_items():
            self.stdout.write(line)
            count += not line.endswith(", archived")
        self.stdout.write(f"{count} prices of items are at Stripe.")
