"""How an invoice follows its payment: paid, failed, or waiting for the customer.

Modules that act on a subscription's invoices register with `on_invoice_settled`.
"""

from collections.abc import Callable
from typing import Literal, TypeAlias

from sandbox import clock, schedule, store
from sandbox.billing import clocks, invoice_payments
from sandbox.options import options
from sandbox.payments.followers import follows_intents
from sandbox.protocol import origin
from sandbox.store import Body
from sandbox.webhooks.events import emit

Outcome: TypeAlias = Literal["paid", "failed", "action_required", "overdue", "voided", "uncollectible"]
Callback: TypeAlias = Callable[[Body, Outcome], None]
OPEN = ("open", "uncollectible")
NOT_OPEN = "You can only pass in open invoices. This invoice isn't open."
DAY = 24 * 3600
# Stripe chooses up to eight times itself (docs: "Smart Retries"); here there are three, 3, 5 and 7 days after the
# first.
RETRY_AFTER = tuple(days * DAY for days in (3, 2, 2))
_callbacks: list[Callback] = []


def on_invoice_settled(callback: Callback) -> Callback:
    """Call `callback(invoice, outcome)` after an invoice's events have been emitted.

    A failed invoice whose `next_payment_attempt` is None is not retried automatically.
    """
    _callbacks.append(callback)
    return callback


def run_callbacks(invoice: Body, outcome: Outcome) -> None:
    """Call every registered callback."""
    for callback in _callbacks:
        callback(invoice, outcome)


def refresh(invoice: Body) -> Body:
    """Reload a body from the store: callbacks may have changed the invoice meanwhile."""
    stored = store.fetch("invoice", invoice["id"])
    invoice.clear()
    invoice.update(stored)
    return invoice


@follows_intents
def follow_intent(intent: Body) -> None:
    """Follow an intent that changed outside billing: by the customer at the bank's page, say, or by a bank's answer."""
    follow(intent, is_automatic=False)


def follow(intent: Body, *, is_automatic: bool) -> None:
    """Update an invoice from its intent, once per step; `is_automatic` marks an attempt of the retry schedule."""
    invoice = store.find("invoice", intent.get("_invoice") or "")
    if invoice is None or invoice["status"] not in OPEN or invoice.get("_intent") != intent["id"]:
        return
    step = [intent["status"], intent["latest_charge"]]
    if invoice.get("_step") == step:
        return
    invoice["_step"] = step
    with clocks.time_of(invoice):
        if intent["status"] == "succeeded":
            mark_paid(invoice)
        elif intent["status"] == "requires_action":
            _note_action_required(invoice, is_automatic=is_automatic)
        elif intent["status"] == "requires_payment_method" and intent["last_payment_error"]:
            note_failure(invoice, is_automatic=is_automatic)
        else:
            invoice["attempted"] = True
            store.save(invoice)


def mark_paid(invoice: Body, *, how: Literal["charged", "nothing_due", "off_stripe"] = "charged") -> None:
    """Close an invoice as paid, in full; emits invoice.paid and its companions.

    Only a charge counts as an attempt (observed at Stripe).
    """
    before = _watched(invoice)
    is_first = _is_new(invoice)
    if how == "charged":
        invoice["attempt_count"] = max(invoice["attempt_count"], 1)
    invoice |= {
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "attempted": invoice["attempted"] or how != "off_stripe",
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": "paid",
    }
    if how == "off_stripe":
        invoice["amount_paid_off_stripe"] = invoice["amount_due"]
        before["amount_paid_off_stripe"] = 0
    invoice["status_transitions"] = invoice["status_transitions"] | {"paid_at": clock.now()}
    stop_collecting(invoice)
    payment = invoice_payments.default_payment_of(invoice)
    if payment and how == "charged":
        invoice_payments.mark_paid(payment)
        schedule.schedule("emit_invoice_payment_paid", payment["id"], after=options().settle_delay)
    store.save(invoice)
    # An invoice made and paid in one call is never seen open, so no event reports a change (observed at Stripe).
    if not is_first:
        emit("invoice.updated", invoice, previous=_changed(before, invoice))
    emit("invoice.paid", invoice)
    emit("invoice.payment_succeeded", invoice)
    run_callbacks(invoice, "paid")


@schedule.step("emit_invoice_payment_paid")
def emit_payment_paid(payment_id: str) -> None:
    """Emit invoice_payment.paid, seconds after the invoice's own events as at Stripe."""
    emit("invoice_payment.paid", store.fetch("invoice_payment", payment_id), is_automatic=True)


def note_failure(invoice: Body, *, is_automatic: bool) -> None:
    """Record a failed attempt: the invoice stays open and may be retried later."""
    # Manual attempts after the first do not move the schedule (docs: "The Invoice object", attempt_count).
    is_counted = is_automatic or invoice["attempt_count"] == 0
    _note_attempt(invoice, is_counted=is_counted, events=("invoice.payment_failed",))
    run_callbacks(invoice, "failed")


def _note_action_required(invoice: Body, *, is_automatic: bool) -> None:
    """The customer has to authenticate; only in the retry schedule does that count as an attempt (observed)."""
    events = ("invoice.payment_action_required", "invoice.payment_failed")
    _note_attempt(invoice, is_counted=is_automatic, events=events)
    run_callbacks(invoice, "action_required")


def _note_attempt(invoice: Body, *, is_counted: bool, events: tuple[str, ...]) -> None:
    before = _watched(invoice)
    invoice["attempted"] = True
    if is_counted:
        invoice["attempt_count"] += 1
        _plan_retry(invoice)
    store.save(invoice)
    for event in events:
        emit(event, invoice)
    changed = _changed(before, invoice)
    if changed:
        emit("invoice.updated", invoice, previous=changed)


def _plan_retry(invoice: Body) -> None:
    """Plan the next automatic attempt; none for a subscription's first invoice, which stays incomplete."""
    schedule.unschedule("collect_invoice", invoice["id"])
    invoice["next_payment_attempt"] = None
    retries = invoice["attempt_count"] - 1
    if retries < len(RETRY_AFTER) and is_collected_automatically(invoice):
        invoice["next_payment_attempt"] = clock.now() + RETRY_AFTER[retries]
        clocks.schedule_in_time_of(invoice, "collect_invoice", invoice["id"], at=invoice["next_payment_attempt"])


def is_collected_automatically(invoice: Body) -> bool:
    """Whether the sandbox collects the invoice automatically."""
    is_automatic: bool = invoice["collection_method"] == "charge_automatically" and invoice["auto_advance"]
    return is_automatic and invoice["billing_reason"] != "subscription_create"


def stop_collecting(invoice: Body) -> None:
    """Cancel the planned steps of an invoice; the caller stores it."""
    for name in ("finalize_invoice", "collect_invoice", "overdue_invoice"):
        schedule.unschedule(name, invoice["id"])
    invoice |= {"auto_advance": False, "next_payment_attempt": None}


def _is_new(invoice: Body) -> bool:
    """Whether this API call created the invoice."""
    request_id = origin.current().request_id
    return request_id is not None and invoice.get("_made_in") == request_id


_WATCHED = (
    "amount_paid", "amount_remaining", "attempt_count", "attempted", "auto_advance", "next_payment_attempt", "status",
    "status_transitions",
)  # fmt: skip


def _watched(invoice: Body) -> Body:
    return {key: invoice[key] for key in _WATCHED}


def _changed(before: Body, invoice: Body) -> Body:
    """Old values of the changed fields; of timestamps only those that were set."""
    changed = {key: value for key, value in before.items() if invoice.get(key) != value}
    if "status_transitions" in changed:
        moments: Body = invoice["status_transitions"]
        old = changed["status_transitions"]
        changed["status_transitions"] = {key: old[key] for key in old if old[key] != moments[key]}
    return changed
