"""Work on the books: take checkpoints, verify everything, hash everything, reverse a journal."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from ledger.checkpoints import retake_checkpoints, take_checkpoints
from ledger.corrections import BelongsInTheBooks, correct_by_reversal
from ledger.hashing import hash_of_books
from ledger.invariants import INVARIANTS
from ledger.journals import AlreadyReversed, JournalMissing, recorded_amounts
from money import Money

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
        self._add_reversal(actions)
        self.add_actions(actions)

    def _add_reversal(self, actions: Any) -> None:
        reversal = actions.add_parser(
            "reverse",
            help="reverse a journal that should never have been written, such as one booked twice",
            description=(
                "Write the opposite of a journal that should never have been written: one booked twice, or by mistake "
                "from Stripe's statement. What did happen stays: a sale, refund, dispute or payout is corrected on its own "
                "page, and what Stripe did with `reconcile --fix`. So the reversal is refused if it breaks an invariant, and "
                "that of a sale, refund, dispute or payout unless it mends one. Checks all of them twice, so it takes "
                "a while on large books."
            ),
        )
        reversal.add_argument("source", help="of the journal, such as stripe:txn_1; the admin lists the journals")
        reversal.add_argument("--why", required=True, metavar="TEXT", help="kept in the reversal's description")
        reversal.add_argument("--by", required=True, metavar="EMAIL", help="the member of staff who decided it")
        reversal.add_argument("--yes", action="store_true", help="write it; without this nothing is written")
        reversal.set_defaults(run=self.reverse)

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

    def reverse(self, *, source: str, why: str, by: str, yes: bool, **_options: Any) -> None:
        person = User.objects.filter(email__iexact=by, is_staff=True, is_active=True).first()
        if person is None:
            raise CommandError(f"No member of staff has the address {by}.", returncode=_COULD_NOT_RUN)
        for key, minor in recorded_amounts(source).items():
            teacher = f" of teacher {key.teacher_id}" if key.teacher_id else ""
            self.stdout.write(f"{key.kind}{teacher}: {Money(-minor, key.currency)}")
        try:
            reversal = correct_by_reversal(source=source, why=why, by=person.email, is_rehearsal=not yes)
        except JournalMissing as problem:
            raise CommandError(f"No journal has the source {source}.") from problem
        except AlreadyReversed as problem:
            raise CommandError(str(problem)) from problem
        except BelongsInTheBooks as problem:
            raise CommandError(f"Nothing was written. {problem}") from problem
        self.stdout.write(f"{reversal} was written." if yes else "Nothing was written. Write it with --yes.")
