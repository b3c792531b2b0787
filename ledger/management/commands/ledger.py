"""Work on the books: take checkpoints, verify everything, hash everything."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction

from ledger.checkpoints import retake_checkpoints, take_checkpoints
from ledger.hashing import hash_of_books
from ledger.invariants import INVARIANTS

_BROKEN, _COULD_NOT_RUN = 1, 2
_IDS_SHOWN = 20


class Command(BaseCommand):
    """`manage.py ledger verify` and the like. Exits with 0 if all is well, 1 if not, 2 if it could not find out."""

    help = "Work on the books."
    # A faulty setting elsewhere must not look like faulty books.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="action")
        verify = actions.add_parser("verify", help="check all books; 0 if well, 1 if not, 2 if it could not run")
        verify.set_defaults(run=self.verify)
        checkpoint = actions.add_parser("checkpoint", help="take the checkpoints that are due")
        checkpoint.add_argument("--again", action="store_true", help="delete all and take them again")
        checkpoint.set_defaults(run=self.checkpoint)
        hashing = actions.add_parser("hash", help="print one hash of all books, equal for a restored or rebuilt ledger")
        hashing.add_argument("--moments", action="store_true", help="let it cover the moments of effect as well")
        hashing.set_defaults(run=self.hash)
        self.add_actions(actions)

    def add_actions(self, actions: Any) -> None:
        """For a command of an app above that adds actions of its own to this one."""

    def handle(self, *_args: Any, run: Callable[..., None], **options: Any) -> None:
        try:
            run(**options)
        except DatabaseError as error:
            raise CommandError(f"The books could not be read: {error}", returncode=_COULD_NOT_RUN) from error

    def verify(self, **_options: Any) -> None:
        """Check every invariant over the whole books, in one snapshot, while the site goes on."""
        began, is_well = time.monotonic(), True
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor.execute("SELECT (SELECT count(*) FROM ledger_journal), (SELECT count(*) FROM ledger_posting)")
                journals, postings = cursor.fetchone()
            for invariant in INVARIANTS:
                ids = invariant.breaking()
                is_well = is_well and not ids
                self.stdout.write(f"{'BROKEN' if ids else 'holds '} {invariant.name}: {invariant.promise}")
                if ids:
                    more = " and more" if len(ids) > _IDS_SHOWN else ""
                    self.stdout.write(f"       ids: {', '.join(map(str, ids[:_IDS_SHOWN]))}{more}")
        self.stdout.write(f"{journals} journals, {postings} postings, {time.monotonic() - began:.1f} s")
        if not is_well:
            raise CommandError("The books are not in order.", returncode=_BROKEN)

    def checkpoint(self, *, again: bool, **_options: Any) -> None:
        taken = retake_checkpoints() if again else take_checkpoints()
        self.stdout.write(f"{taken} checkpoints taken")

    def hash(self, *, moments: bool, **_options: Any) -> None:
        self.stdout.write(hash_of_books(with_moments=moments))
