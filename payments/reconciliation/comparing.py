"""Compare both sides chunk by chunk, in both directions, and store what is found with the progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from ledger.entries import AccountKind
from ledger.models import Posting
from payments.models import Difference, Order, Payment, PayoutTransfer, ReconciliationRun, Refund, StripeMovement
from payments.reconciliation.book_loading import load_entries, load_groups
from payments.reconciliation.groups import Finding, Group, Terms
from payments.reconciliation.journal_keys import keys_of_sources
from payments.reconciliation.matching import compare
from payments.reconciliation.progress import save_progress
from payments.reconciliation.statement import Topic

_KEYS_AT_ONCE = 300
_CLOCKS_DIFFER_BY = timedelta(minutes=1)


def terms_of(run: ReconciliationRun) -> Terms:
    """The period and mode that a run compares."""
    return Terms(livemode=run.livemode, settled_before=run.settled_before, since=run.since, until=run.until)


def within(run: ReconciliationRun, field: str) -> Q:
    """The condition that a moment is in the run's period."""
    condition = Q(**{f"{field}__lt": run.until})
    return condition if run.since is None else condition & Q(**{f"{field}__gte": run.since})


def movements_of(run: ReconciliationRun) -> QuerySet[StripeMovement]:
    """The transactions of the run's account within its period."""
    own = StripeMovement.objects.filter(account=run.account, livemode=run.livemode)
    return own.filter(within(run, "happened_at"))


def clearing_of(run: ReconciliationRun) -> QuerySet[Posting]:
    """The ledger's postings on Stripe clearing within the run's period."""
    return Posting.objects.filter(within(run, "effective_at"), account__kind=AccountKind.STRIPE_CLEARING)


def compare_movements(run: ReconciliationRun, *, stops_at: float) -> bool:
    """From Stripe to the books: compare all that the statement has. False if the time was up before the end."""
    keys = movements_of(run).order_by("match_key").values_list("match_key", flat=True).distinct()
    while chunk := list(keys.filter(match_key__gt=run.cursor)[:_KEYS_AT_ONCE]):
        groups = load_groups(chunk, account=run.account, livemode=run.livemode)
        _store(run, groups, cursor=chunk[-1])
        if time.monotonic() >= stops_at:
            return False
    return True


def compare_records(run: ReconciliationRun, *, stops_at: float) -> bool:
    """From the records to Stripe: what by them has happened, but is not on the statement. False if the time was up."""
    name, _, last = run.cursor.partition(":")
    names = list(_RECORDS)
    for current in names[names.index(name) if name else 0 :]:
        last_pk = int(last or 0) if current == name else 0
        rows = _RECORDS[current](run)
        while chunk := list(rows.filter(pk__gt=last_pk).order_by("pk").values_list("pk", "key")[:_KEYS_AT_ONCE]):
            groups = load_groups([key for _, key in chunk], account=run.account, livemode=run.livemode)
            last_pk = chunk[-1][0]
            _store(run, groups, cursor=f"{current}:{last_pk}")
            if time.monotonic() >= stops_at:
                return False
    return True


def _payments_missing_at_stripe(run: ReconciliationRun) -> QuerySet[Payment]:
    paid = Payment.objects.filter(within(run, "succeeded_at"), stripe_payment_intent_id__isnull=False)
    return _not_on_statement(run, paid, Topic.CHARGE, "stripe_payment_intent_id")


def _refunds_missing_at_stripe(run: ReconciliationRun) -> QuerySet[Refund]:
    given = Refund.objects.filter(within(run, "succeeded_at"), stripe_refund_id__isnull=False)
    return _not_on_statement(run, given, Topic.REFUND, "stripe_refund_id")


def _transfers_missing_at_stripe(run: ReconciliationRun) -> QuerySet[PayoutTransfer]:
    sent = PayoutTransfer.objects.filter(within(run, "payout__paid_at"), stripe_transfer_id__isnull=False)
    return _not_on_statement(run, sent, Topic.TRANSFER, "stripe_transfer_id")


def _not_on_statement(run: ReconciliationRun, rows: QuerySet, topic: Topic, id_field: str) -> QuerySet:  # type: ignore[type-arg]
    """The rows of which the statement has nothing, with their match key as `key`."""
    rows = rows.annotate(key=Concat(Value(f"{topic}:"), id_field, output_field=CharField()))
    own = StripeMovement.objects.filter(account=run.account, livemode=run.livemode)
    return rows.filter(~Exists(own.filter(match_key=OuterRef("key"))))


_RECORDS: dict[str, Callable[[ReconciliationRun], QuerySet]] = {  # type: ignore[type-arg]  # rows of several models
    "payments": _payments_missing_at_stripe,
    "refunds": _refunds_missing_at_stripe,
    "transfers": _transfers_missing_at_stripe,
}


def compare_journals(run: ReconciliationRun, *, stops_at: float) -> bool:
    """From the ledger to Stripe: journals on Stripe clearing that the statement does not have within the period.

    False if the time was up before the end.
    """
    rows = clearing_of(run).order_by("pk").values_list("pk", "journal__source")
    while chunk := list(rows.filter(pk__gt=int(run.cursor or 0))[:_KEYS_AT_ONCE]):
        key_of = keys_of_sources({source for _, source in chunk})
        on_statement = movements_of(run).filter(match_key__in=set(key_of.values()))
        missing = set(key_of.values()) - set(on_statement.values_list("match_key", flat=True))
        orphans = [source for _, source in chunk if source not in key_of]
        groups = load_groups(sorted(missing), account=run.account, livemode=run.livemode) + _orphans(orphans)
        _store(run, groups, cursor=str(chunk[-1][0]))
        if time.monotonic() >= stops_at:
            return False
    return True


def compare_again_what_was_booked_meanwhile(run: ReconciliationRun, *, stops_at: float) -> bool:
    """Compare again what was booked since the run began: by events, staff, or the repairs of another run.

    The totals would show it as a remainder beside the difference found before. False if the time was up before the end.
    """
    since = run.created_at - _CLOCKS_DIFFER_BY
    rows = clearing_of(run).filter(recorded_at__gte=since).order_by("pk").values_list("pk", "journal__source")
    while chunk := list(rows.filter(pk__gt=int(run.cursor or 0))[:_KEYS_AT_ONCE]):
        keys = set(keys_of_sources({source for _, source in chunk}).values())
        groups = load_groups(sorted(keys), account=run.account, livemode=run.livemode)
        _store(run, groups, cursor=str(chunk[-1][0]))
        if time.monotonic() >= stops_at:
            return False
    return True


def _orphans(sources: Iterable[str]) -> list[Group]:
    """Journals that lead to no record and no transaction, each as a group of its own."""
    return [
        Group(key=f"journal:{source}"[:130], entries=tuple(entries))
        for source, entries in load_entries(sources).items()
    ]


def _store(run: ReconciliationRun, groups: Sequence[Group], *, cursor: str) -> None:
    """Store the findings of these groups together with the progress: both or neither."""
    terms = terms_of(run)
    findings = [finding for group in groups for finding in compare(group, terms)]
    with transaction.atomic():
        # Two journals of one group may be in different chunks, which finds the same twice.
        Difference.objects.filter(run=run, match_key__in=[group.key for group in groups]).delete()
        store_findings(run, findings)
        save_progress(run, cursor=cursor, compared=run.compared + len(groups))


def store_findings(run: ReconciliationRun, findings: Sequence[Finding]) -> None:
    """Write differences with links to their orders."""
    numbers = {finding.order_number for finding in findings} - {""}
    orders = dict(Order.objects.filter(number__in=numbers).values_list("number", "pk")) if numbers else {}
    Difference.objects.bulk_create(
        Difference(
            run=run,
            kind=finding.kind,
            sentence=finding.sentence.replace("\x00", ""),
            match_key=finding.key,
            amount_minor=finding.amount_minor,
            currency=finding.currency,
            stripe_id=finding.movement_id,
            journal_source=finding.source,
            order_id=orders.get(finding.order_number),
            repair=finding.repair,
        )
        for finding in findings
    )
