"""Bring our record of a subscription to what Stripe reports. The only writer of status, price and periods.

A snapshot is fetched outside any transaction and recorded in one. It counts only if nothing else was recorded since it
was asked for: otherwise it may be older than our record, and is fetched again. So events may arrive late, twice and in
any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from jobs.models import WorkPostponed
from payments.customers import known_customer_id
from payments.evidence import PaymentDisagrees, PaymentUnknown
from subscriptions import gateway, mails
from subscriptions.invoices import record_paid_invoice
from subscriptions.models import PlanPrice, Subscription, SubscriptionChange
from subscriptions.references import subscription_by_reference
from subscriptions.stripe_objects import StripeInvoice, StripeSubscription
from subscriptions.timing import schedule_follow_up

_Status = Subscription.Status
_STATUSES = {
    "incomplete": _Status.STARTING,
    "incomplete_expired": _Status.ENDED,
    "trialing": _Status.TRIALING,
    "active": _Status.ACTIVE,
    "past_due": _Status.PAST_DUE,
    "unpaid": _Status.PAST_DUE,
    "paused": _Status.PAST_DUE,
    "canceled": _Status.ENDED,
}
_TRIES = 5


class SubscriptionDisagrees(PaymentDisagrees):
    """What Stripe reports contradicts our record, such as a price that we do not know. Staff must look at it."""


class SnapshotOutdated(WorkPostponed):
    """Something else was recorded since the snapshot was asked for."""

    def __init__(self) -> None:
        super().__init__("recorded meanwhile; to be fetched again", delay=timedelta(seconds=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What Stripe reported about a subscription of ours, and the version of our record before it was asked."""

    row_id: int
    version: int
    found: StripeSubscription
    invoices: Sequence[StripeInvoice]


def sync_subscription(stripe_id: str) -> None:
    """Fetch and record. Call outside transactions. Raises StripeUnreachable, StripeRefused, and as record_snapshot."""
    for _ in range(_TRIES - 1):
        snapshot = fetch_snapshot(stripe_id)
        try:
            record_snapshot(snapshot)
        except SnapshotOutdated:
            continue
        return
    record_snapshot(fetch_snapshot(stripe_id))


def fetch_snapshot(stripe_id: str) -> Snapshot:
    """What Stripe reports now. Raises PaymentUnknown if it is no subscription of ours, or SubscriptionDisagrees."""
    row = Subscription.objects.filter(stripe_subscription_id=stripe_id).first()
    found = gateway.retrieve_subscription(stripe_id)
    if row is None:
        row = _row_of(found)
        # Now that the row is known, its version is read before Stripe is asked.
        found = gateway.retrieve_subscription(stripe_id)
    return Snapshot(row_id=row.pk, version=row.version, found=found, invoices=gateway.list_invoices(stripe_id))


def _row_of(found: StripeSubscription) -> Subscription:
    """The row that a subscription's metadata names. People can edit metadata, so the customer must be the same."""
    row = subscription_by_reference(found.reference)
    if row is None:
        raise PaymentUnknown(found.id)
    if row.stripe_subscription_id not in {None, found.id}:
        raise SubscriptionDisagrees("The metadata names a subscription that has another id at Stripe.")
    if known_customer_id(row.user_id) != found.customer_id:
        raise SubscriptionDisagrees("The metadata names a subscription of another customer.")
    return row


def record_snapshot(snapshot: Snapshot) -> Subscription:
    """Record what Stripe reported, once. Raises SnapshotOutdated, SubscriptionDisagrees, WorkPostponed."""
    with transaction.atomic():
        row = (
            Subscription.objects.select_for_update(of=("self",))
            .select_related("user", "price__plan")
            .get(pk=snapshot.row_id)
        )
        if row.version != snapshot.version:
            raise SnapshotOutdated
        row.version += 1
        row.stripe_subscription_id = snapshot.found.id
        _take_in(row, snapshot)
        row.save()
        for invoice in reversed(snapshot.invoices):
            record_paid_invoice(row, invoice)
        schedule_follow_up(row)
    return row


def _take_in(row: Subscription, snapshot: Snapshot) -> None:
    found = snapshot.found
    status = _status_of(found)
    has_ended_for_good = row.status == _Status.ENDED and row.end_reason != Subscription.EndReason.NEVER_PAID
    if has_ended_for_good or status == _Status.STARTING:
        return
    if status == _Status.ENDED:
        _end(row, found)
        return
    _take_price(row, snapshot)
    row.period_starts_at, row.period_ends_at = found.period_starts_at, found.period_ends_at
    row.trial_ends_at = found.trial_ends_at or row.trial_ends_at
    _take_status(row, status, snapshot)
    _take_cancellation(row, found)


def _status_of(found: StripeSubscription) -> Subscription.Status:
    try:
        return _STATUSES[found.status]
    except KeyError:
        raise SubscriptionDisagrees(f"Stripe reports an unknown status, {found.status[:50]!r}.") from None


def _take_price(row: Subscription, snapshot: Snapshot) -> None:
    """A price that changed in the middle of a period, without an invoice for it, applies from the next one."""
    found = snapshot.found
    price = _price_of(found.price_id)
    if row.status in (_Status.STARTING, _Status.ENDED):
        row.price, row.next_price = price, None
    elif price == row.price:
        if row.next_price is not None:
            _note(row, SubscriptionChange.Kind.CHANGE_DROPPED)
        row.next_price = None
    elif _is_for_next_period(row, price, snapshot):
        if row.next_price != price:
            row.next_price = price
            _note(row, SubscriptionChange.Kind.CHANGE_PLANNED, detail=str(price))
    else:
        row.price, row.next_price = price, None
        _note(row, SubscriptionChange.Kind.PLAN_CHANGED)


def _is_for_next_period(row: Subscription, price: PlanPrice, snapshot: Snapshot) -> bool:
    if row.status == _Status.TRIALING or snapshot.found.period_starts_at != row.period_starts_at:
        return False
    billed = [each.billed for each in snapshot.invoices if each.billing_reason == "subscription_update"]
    since = row.period_starts_at
    return not any(b and b.price_id == price.stripe_price_id and since and b.ends_at > since for b in billed)


def _price_of(stripe_price_id: str) -> PlanPrice:
    price = PlanPrice.objects.select_related("plan").filter(stripe_price_id=stripe_price_id).first()
    if price is None:
        raise SubscriptionDisagrees(f"The subscription has a price at Stripe that no plan has, {stripe_price_id}.")
    return price


def _take_status(row: Subscription, status: Subscription.Status, snapshot: Snapshot) -> None:
    before, row.status = row.status, status
    if before in (_Status.STARTING, _Status.ENDED):
        row.started_at, row.ended_at, row.end_reason = snapshot.found.started_at, None, ""
        _note(row, SubscriptionChange.Kind.STARTED, detail="in a trial" if status == _Status.TRIALING else "")
        if status == _Status.TRIALING:
            mails.queue_trial_started(row)
    if status == _Status.PAST_DUE:
        row.unpaid_invoice_url = next((each.hosted_url for each in snapshot.invoices if each.is_refused), "")
        if before != _Status.PAST_DUE:
            _fall_behind(row)
    elif before == _Status.PAST_DUE:
        _note(row, SubscriptionChange.Kind.RECOVERED)
        mails.queue_recovered(row)
        _forget_arrears(row)


def _fall_behind(row: Subscription) -> None:
    row.past_due_since = timezone.now()
    row.grace_until = row.past_due_since + settings.SUBSCRIPTION_GRACE
    _note(row, SubscriptionChange.Kind.PAYMENT_FAILED)
    mails.queue_payment_failed(row, step="first")


def _forget_arrears(row: Subscription) -> None:
    row.past_due_since = row.grace_until = None
    row.unpaid_invoice_url = ""


def _take_cancellation(row: Subscription, found: StripeSubscription) -> None:
    if row.cancel_at_period_end == found.cancel_at_period_end:
        return
    row.cancel_at_period_end = found.cancel_at_period_end
    kind = SubscriptionChange.Kind.CANCELLED if row.cancel_at_period_end else SubscriptionChange.Kind.RESUMED
    _note(row, kind)
    mails.queue_cancellation(row)


def _end(row: Subscription, found: StripeSubscription) -> None:
    if row.status == _Status.ENDED:
        return
    had_started = row.status != _Status.STARTING
    row.end_reason = _end_reason(row, found)
    row.status, row.ended_at = _Status.ENDED, found.ended_at or timezone.now()
    row.next_price = None
    _forget_arrears(row)
    if had_started:
        _note(row, SubscriptionChange.Kind.ENDED, detail=row.get_end_reason_display())
        mails.queue_ended(row)


def _end_reason(row: Subscription, found: StripeSubscription) -> Subscription.EndReason:
    if row.status == _Status.STARTING:
        return Subscription.EndReason.NEVER_PAID
    if row.status == _Status.PAST_DUE and not row.cancel_at_period_end:
        return Subscription.EndReason.PAYMENT_FAILED
    if found.cancel_reason in ("payment_failed", "payment_disputed"):
        return Subscription.EndReason.PAYMENT_FAILED
    if row.cancel_at_period_end or found.cancel_at_period_end:
        return Subscription.EndReason.CANCELLED
    return Subscription.EndReason.BY_STAFF


def _note(row: Subscription, kind: SubscriptionChange.Kind, *, detail: str = "") -> None:
    SubscriptionChange.objects.create(subscription=row, kind=kind, price=row.price, detail=detail[:200])


def end_never_paid(row_id: int, *, at: datetime) -> bool:
    """End a subscription whose page can no longer be paid; False if it has begun or ended meanwhile."""
    never = Subscription.objects.filter(pk=row_id, status=_Status.STARTING, stripe_subscription_id=None)
    return bool(never.update(status=_Status.ENDED, ended_at=at, end_reason=Subscription.EndReason.NEVER_PAID))
