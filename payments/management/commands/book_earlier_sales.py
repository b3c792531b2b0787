"""`manage.py book_earlier_sales`: book what was sold before the ledger existed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from payments.rebuilding.earlier_sales import book_earlier_sales


class Command(BaseCommand):
    help = "Book what the ledger lacks of paid orders and their refunds. May be run again at any time."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        self.stdout.write(f"Booked {book_earlier_sales()} orders.")
