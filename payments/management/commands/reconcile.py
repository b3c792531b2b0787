"""Compare Stripe's statement with our records and the ledger."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_date, parse_datetime

from jobs.models import WorkParked
from payments.models import ReconciliationRun
from payments.reconciliation.reporting import lines_of, progress_of
from payments.reconciliation.runs import advance_run, is_clean, request_run
from payments.stripe_api import StripeRefused, StripeUnreachable

# How often progress is shown.
_SECONDS = 2.0


class Command(BaseCommand):
    """Exits with 1 if Stripe and the books differ, with 2 if they could not be compared."""

    help = "Compare Stripe's balance transactions with orders, refunds, payouts and the ledger, in both directions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """All times are UTC, as on Stripe's reports."""
        parser.add_argument("--since", type=_moment, help="From this day or moment on; from the first one if left out.")
        parser.add_argument("--until", type=_moment, help="Up to this day or moment, itself excluded; now if left out.")
        parser.add_argument("--fix", action="store_true", help="Make the repairs that are safe.")
        parser.add_argument(
            "--grace", type=int, default=0, metavar="MINUTES", help="What is younger may still be under way."
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  # Django's signature
        since, until = options["since"], options["until"]
        if since and until and since >= until:
            raise CommandError("--since must be before --until.", returncode=2)
        repairs = ReconciliationRun.Repairs
        run = request_run(
            since=since,
            until=until,
            grace=timedelta(minutes=max(options["grace"], 0)),
            repairs=repairs.ALL if options["fix"] else repairs.NONE,
            is_performed_here=True,
        )
        try:
            while not advance_run(run, seconds=_SECONDS):
                self.stderr.write(progress_of(run))
        except (StripeUnreachable, StripeRefused, WorkParked) as problem:
            raise CommandError(f"{problem} A worker continues {run} later.", returncode=2) from problem
        run.mark_done()
        for line in lines_of(run):
            self.stdout.write(line)
        if not is_clean(run):
            raise CommandError("Stripe and the books differ; see the lines above.", returncode=1)


def _moment(text: str) -> datetime:
    """A day or a moment in UTC. Raises ValueError, which argparse reports."""
    moment = parse_datetime(text) if "T" in text or " " in text else None
    day = None if moment else parse_date(text)
    if day:
        moment = datetime.combine(day, time.min)
    if moment is None:
        raise ValueError(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
