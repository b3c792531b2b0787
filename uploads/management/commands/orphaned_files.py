"""List files that no row names, or delete them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from uploads.orphans import find_orphans


class Command(BaseCommand):
    help = "List uploaded files that no row names and that are older than a day. The schedule deletes them daily."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--delete", action="store_true", help="Delete them, too.")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        for storage, name in find_orphans():
            if options["delete"]:
                storage.delete(name)
            self.stdout.write(name)
