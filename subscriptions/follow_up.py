"""The follow-up of subscriptions: what no event has reported, mails about failed payments, and the end of the grace."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from jobs.models import WorkPostponed
from payments.own_account import is_key_known_as_ours
from payments.stripe_api import NoSuchObject, StripeMisconfigured, StripeRefused
from subscriptions import gateway, mails
from subscriptions.models import FollowUp, Subscription
from subscriptions.recording import end_never_paid, sync_subscription
from subscriptions.timing import dunning_moments, next_look

log = structlog.get_logger()


def follow_up_subscription(work: FollowUp) -> None:
    """Do what a subscription needs next. Returns once it has ended; raises WorkPostponed before."""
    row = _read(work)
    if row.status == Subscription.Status.STARTING:
        _follow_page(row)
    elif row.is_live:
        sync_subscription(row.stripe_subscription_id or "")
        _dun(row.pk)
        _end_after_grace(_read(work))
    row = _read(work)
    if row.status == Subscription.Status.ENDED:
        if row.stripe_subscription_id:
            gateway.void_unpaid_invoices(row.stripe_subscription_id)
    else:
        raise WorkPostponed("going on", delay=max(next_look(row) - timezone.now(), timedelta(seconds=1)))


def _read(work: FollowUp) -> Subscription:
    return Subscription.objects.select_related("user", "price__plan").get(pk=work.subscription_id)


def _follow_page(row: Subscription) -> None:
    """Find out whether the person subscribed on the page, and end what can no longer begin."""
    if not row.stripe_session_id:
        if row.session_expires_at and row.session_expires_at < timezone.now():
            end_never_paid(row.pk, at=timezone.now())
        return
    try:
        page = gateway.retrieve_page(row.stripe_session_id)
    except NoSuchObject:
        is_key_known_as_ours()
        end_never_paid(row.pk, at=timezone.now())
        return
    if page.subscription_id:
        sync_subscription(page.subscription_id)
    elif page.status == "expired":
        end_never_paid(row.pk, at=timezone.now())


def _dun(row_id: int) -> None:
    """Queue the mails about a failed payment that are due. A repeat queues none twice."""
    with transaction.atomic():
        row = Subscription.objects.select_for_update(of=("self",)).select_related("user", "price__plan").get(pk=row_id)
        moments = dunning_moments(row)
        due = [step for step, moment in moments.items() if step != "end" and moment <= timezone.now()]
        if due and moments["end"] > timezone.now():
            mails.queue_payment_failed(row, step=due[-1])


def _end_after_grace(row: Subscription) -> None:
    """End at Stripe what was not paid in time, so that no one is charged for what they cannot use."""
    if row.grace_until is None or row.grace_until > timezone.now():
        return
    stripe_id = row.stripe_subscription_id or ""
    try:
        gateway.cancel_now(stripe_id)
    except StripeMisconfigured:
        raise
    except StripeRefused as refusal:
        log.info("subscription_not_cancelled", subscription=row.pk, problem=str(refusal))
    sync_subscription(stripe_id)
