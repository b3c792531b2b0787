"""How a subscription follows its invoices: paid, refused, given up (docs: "Revenue recovery", "Subscription statuses").

The invoices plan their own next attempts; this module moves the subscription meanwhile and at the end.
"""

from sandbox import store
from sandbox.billing import clocks, invoices
from sandbox.billing.invoices import Outcome, on_invoice_settled
from sandbox.billing.pending_updates import follow_pending
from sandbox.billing.renewals import expire
from sandbox.billing.subscriptions import ENDED, emitting_change, end, invoices_of, plan
from sandbox.options import options
from sandbox.payments.followers import follows_intents
from sandbox.store import Body

REFUSED = ("failed", "action_required")
IN_ARREARS = ("past_due", "unpaid")


@on_invoice_settled
def follow_invoice(invoice: Body, outcome: Outcome) -> None:
    """Update the subscription of an invoice that was paid, refused or given up, in the time of its test clock."""
    subscription = store.find("subscription", invoices.subscription_of(invoice) or "")
    if subscription is None or subscription["status"] in ENDED:
        return
    with clocks.time_of(subscription):
        follow_pending(subscription, invoice, outcome)
        if outcome == "paid":
            _follow_paid(subscription, invoice)
        elif subscription.get("_is_held_back") or invoice.get("_is_of_pending_update"):
            # A change that is not paid leaves the subscription as it was.
            return
        elif outcome in (*REFUSED, "overdue"):
            _follow_refused(subscription, invoice)
        elif outcome == "voided" and subscription["status"] == "incomplete":
            expire(subscription)
        elif outcome == "voided" and subscription["status"] in IN_ARREARS and not _owes(subscription):
            _become(subscription, "active")


def _follow_paid(subscription: Body, invoice: Body) -> None:
    is_latest = invoice["id"] == subscription["latest_invoice"]
    before = subscription["status"]
    if before == "incomplete" or (before in IN_ARREARS and (is_latest or not _owes(subscription))):
        _become(subscription, "active", invoice)
    elif before == "paused" and subscription.get("_is_resuming"):
        del subscription["_is_resuming"]
        _become(subscription, "active", invoice, "customer.subscription.resumed")


def _become(subscription: Body, status: str, invoice: Body | None = None, *also: str) -> None:
    with emitting_change(subscription, *also):
        subscription["status"] = status
        if invoice and subscription["payment_settings"]["save_default_payment_method"] == "on_subscription":
            intent = store.find("payment_intent", invoice.get("_intent") or "") or {}
            subscription["default_payment_method"] = subscription["default_payment_method"] or intent.get(
                "payment_method"
            )
    if not subscription.get("_event_is_pending"):
        plan(subscription)


def _owes(subscription: Body) -> bool:
    """Whether an invoice that could not be collected is still open."""
    return any(invoice["attempted"] for invoice in invoices_of(subscription, "open"))


def _follow_refused(subscription: Body, invoice: Body) -> None:
    if subscription["status"] == "active":
        with emitting_change(subscription):
            subscription["status"] = "past_due"
    is_last = invoice["auto_advance"] and invoice["next_payment_attempt"] is None
    if is_last and subscription["status"] == "past_due" and invoice["collection_method"] == "charge_automatically":
        _give_up(subscription)


def _give_up(subscription: Body) -> None:
    """The last attempt failed: a setting of the account decides what follows (docs: "Smart Retries")."""
    if options().dunning_end == "cancel":
        end(subscription, reason="payment_failed")
    elif options().dunning_end == "unpaid":
        with emitting_change(subscription):
            subscription["status"] = "unpaid"


@follows_intents
def follow_setup(intent: Body) -> None:
    """Activate a subscription with nothing due, once the method it waited for is set up."""
    subscription = store.find("subscription", intent.get("_subscription") or "")
    if subscription is None or subscription["pending_setup_intent"] != intent["id"]:
        return
    if intent["status"] == "succeeded":
        with clocks.time_of(subscription), emitting_change(subscription):
            subscription |= {"default_payment_method": intent["payment_method"], "pending_setup_intent": None}
