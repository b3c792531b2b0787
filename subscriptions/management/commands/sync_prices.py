"""Bring products and prices to Stripe's catalogue."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments.stripe_api import StripeRefused, StripeUnreachable
from subscriptions.price_sync import sync_all_plans


class Command(BaseCommand):
    """Prints each price with its id at Stripe. A repeat changes nothing."""

    help = "Create or update the products and prices of all plans at Stripe, and store their ids."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        try:
            done = sync_all_plans()
        except (StripeUnreachable, StripeRefused) as problem:
            raise CommandError(f"{problem} What was done remains; run it again.", returncode=2) from problem
        for line in done:
            self.stdout.write(line)
        self.stdout.write(f"{len(done)} prices of plans are at Stripe.")
