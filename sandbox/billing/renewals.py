"""The automatic steps of a subscription: renewals, ends of trials, planned ends (docs: "Subscription lifecycle")."""

from sandbox import clock, store
from sandbox.billing import clocks, invoice_items, invoices
from sandbox.billing.credited_items import name_credited_lines
from sandbox.billing.periods import period_from
from sandbox.billing.subscription_billing import draft_invoice, interval_of, line_for, preview_invoice, set_period
from sandbox.billing.subscription_shapes import items_of
from sandbox.billing.subscriptions import (
    ENDED,
    ONGOING,
    billed_period,
    emitting_change,
    end,
    plan,
    renews_at,
    warn_of_trial_end,
)
from sandbox.billing.trial_ends import ends_without_method
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit


@step("renew_subscription")
def renew_when_due(subscription_id: str) -> None:
    """Renew a subscription whose period is over."""
    subscription = store.fetch("subscription", subscription_id)
    if subscription["status"] in ONGOING and renews_at(subscription) <= clock.now():
        renew(subscription)


def renew(subscription: Body) -> None:
    """Begin the next period and draft its invoice, which is finalized and charged an hour later."""
    if subscription["status"] == "trialing" and ends_without_method(subscription):
        return
    with emitting_change(subscription):
        period = billed_period(subscription)
        due = [item for item in items_of(subscription) if item["current_period_end"] <= clock.now()]
        for item in due:
            start = item["current_period_end"]
            set_period(item, period_from(subscription["billing_cycle_anchor"], interval_of(item), start))
        if subscription["status"] == "trialing":
            subscription["status"] = "active"
        invoice = draft_invoice(
            subscription,
            [line_for(subscription, item) for item in due],
            billing_reason="subscription_cycle",
            period=period,
            auto_advance=_advances(subscription),
        )
        store.save(subscription)
    _stop_where_paused(subscription, invoice)
    plan(subscription)


def _advances(subscription: Body) -> bool:
    """An unpaid subscription is billed in drafts only, and so is one whose collection is paused."""
    return subscription["status"] != "unpaid" and subscription["pause_collection"] is None


def _stop_where_paused(subscription: Body, invoice: Body) -> None:
    """Apply the behaviour set for paused collection to an invoice (docs: "Pause payment collection")."""
    behavior = (subscription["pause_collection"] or {}).get("behavior")
    if behavior in ("void", "mark_uncollectible"):
        invoices.finalize_invoice(invoice, collects_later=False)
        if invoice["status"] == "open":
            (invoices.void_invoice if behavior == "void" else invoices.mark_uncollectible)(invoice)


@step("announce_renewal")
def announce_renewal(subscription_id: str) -> None:
    """Emit invoice.upcoming. The invoice does not exist yet, so it has no id."""
    subscription = store.fetch("subscription", subscription_id)
    if subscription["status"] not in ONGOING:
        return
    emit("invoice.upcoming", without_id(upcoming_invoice(subscription)))


def upcoming_invoice(subscription: Body, *, with_items: bool = True) -> Body:
    """The next invoice of a subscription as of today, not stored; with its items, or only with pending ones."""
    due = [
        item for item in items_of(subscription) if with_items and item["current_period_end"] == renews_at(subscription)
    ]
    waiting = invoice_items.pending_items(
        subscription["customer"], currency=subscription["currency"], subscription=subscription["id"]
    )
    lines = [invoices.item_line(item) for item in waiting]
    name_credited_lines(lines, waiting)
    for item in due:
        period = period_from(subscription["billing_cycle_anchor"], interval_of(item), item["current_period_end"])
        lines.append(line_for(subscription, item, period=period))
    invoice = preview_invoice(subscription, lines, period=billed_period(subscription))
    return invoice | {"next_payment_attempt": renews_at(subscription) + invoices.HOUR}


def without_id(invoice: Body) -> Body:
    return {key: value for key, value in invoice.items() if key != "id"}


@step("warn_of_trial_end")
def warn_when_due(subscription_id: str) -> None:
    """Announce that the trial ends in three days."""
    subscription = store.fetch("subscription", subscription_id)
    if subscription["status"] == "trialing":
        warn_of_trial_end(subscription)


@step("end_subscription")
def end_when_due(subscription_id: str) -> None:
    """End a subscription whose planned end has come."""
    subscription = store.fetch("subscription", subscription_id)
    ends_at = subscription["cancel_at"]
    if subscription["status"] not in ENDED and ends_at is not None and ends_at <= clock.now():
        end(subscription, was_planned=True)


@step("expire_subscription")
def expire_when_due(subscription_id: str) -> None:
    """Void a first invoice that was not paid within 23 hours, and end the subscription."""
    subscription = store.fetch("subscription", subscription_id)
    if subscription["status"] == "incomplete":
        expire(subscription)


def expire(subscription: Body) -> None:
    """End a subscription that never became active; emits customer.subscription.updated and voids the invoice."""
    with clocks.time_of(subscription):
        with emitting_change(subscription):
            subscription |= {"ended_at": clock.now(), "status": "incomplete_expired"}
            store.save(subscription)
            invoice = store.fetch("invoice", subscription["latest_invoice"])
            if invoice["status"] == "open":
                invoices.void_invoice(invoice)
        plan(subscription)


@step("resume_collection")
def resume_collection(subscription_id: str) -> None:
    """Resume paused collection at the planned time."""
    subscription = store.fetch("subscription", subscription_id)
    if subscription["status"] in ONGOING and subscription["pause_collection"]:
        with emitting_change(subscription):
            subscription["pause_collection"] = None
            store.save(subscription)
        plan(subscription)
