"""The ledger's command, with what only payments can add: deriving the books a second time."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from jobs.models import WorkParked
from ledger.management.commands.ledger import Command as LedgerCommand
from payments.models import ReconciliationRun
from payments.rebuilding.rebuild import Written, rebuild
from payments.rebuilding.second_books import (
    Comparison,
    SchemaNotUsable,
    compare_books,
    create_second_books,
    drop_second_books,
)
from payments.reconciliation.reporting import progress_of
from payments.reconciliation.runs import advance_run, request_run
from payments.stripe_api import StripeRefused, StripeUnreachable

_DIFFERENT, _COULD_NOT_RUN = 1, 2
_SECONDS = 2.0


class Command(LedgerCommand):
    """`manage.py ledger rebuild --into NAME` and all that the ledger's own command does."""

    def add_actions(self, actions: Any) -> None:
        parser = actions.add_parser(
            "rebuild", help="derive all books again from orders, payouts and Stripe's statement, and compare the hashes"
        )
        parser.add_argument("--into", required=True, metavar="NAME", help="a new schema of the same database")
        parser.add_argument("--drop", action="store_true", help="delete the schema again after the comparison")
        parser.set_defaults(run=self.rebuild)

    def rebuild(self, *, into: str, drop: bool, **_options: Any) -> None:
        """Read Stripe's statement, derive the books from it and from our records, and compare."""
        try:
            create_second_books(into)
        except SchemaNotUsable as problem:
            raise CommandError(str(problem), returncode=_COULD_NOT_RUN) from problem
        run = self._read_statement()
        written = Written()
        for written in rebuild(into, account=run.account, livemode=run.livemode):
            self.stderr.write(f"{written.count} journals derived")
        comparison = compare_books(into)
        if drop:
            drop_second_books(into)
        self._report(comparison, into, written)

    def _read_statement(self) -> ReconciliationRun:
        run = request_run(is_performed_here=True)
        try:
            while not advance_run(run, seconds=_SECONDS):
                self.stderr.write(progress_of(run))
        except (StripeUnreachable, StripeRefused, WorkParked) as problem:
            raise CommandError(
                f"Stripe's statement could not be read: {problem}", returncode=_COULD_NOT_RUN
            ) from problem
        run.mark_done()
        return run

    def _report(self, comparison: Comparison, name: str, written: Written) -> None:
        self.stdout.write(f"{written.count} journals derived into {name}")
        if written.copied:
            self.stdout.write(f"  {written.copied} of them copied: disputes from before their steps were kept")
        self.stdout.write(f"{comparison.first_hash} ledger")
        self.stdout.write(f"{comparison.second_hash} {name}")
        for what, sources in (
            ("only in the ledger", comparison.only_first),
            ("only derived", comparison.only_second),
            ("different", comparison.different),
        ):
            for source in sources:
                self.stdout.write(f"  {what}: {source}")
        if not comparison.is_equal:
            raise CommandError("The books are not what orders and Stripe's statement say.", returncode=_DIFFERENT)
