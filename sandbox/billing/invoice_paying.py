"""Paying an invoice: by hand, by the schedule, or outside Stripe (docs: "Pay an invoice", "Automatic collection")."""

from dataclasses import dataclass

from sandbox import store
from sandbox.billing import clocks, invoice_payments
from sandbox.billing.invoice_finalizing import finalize_invoice
from sandbox.billing.invoice_settling import (
    NOT_OPEN,
    OPEN,
    follow,
    mark_paid,
    note_failure,
    refresh,
)
from sandbox.payments import intents
from sandbox.payments.captures import CANCELABLE
from sandbox.payments.methods import resolve
from sandbox.protocol.errors import ApiError
from sandbox.store import Body

NO_METHOD = (
    "This customer has no attached payment source or default payment method. Please consider adding a default payment "
    "method. For more information, visit "
    "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority."
)
NEEDS_ACTION = (
    "Payment for this invoice requires additional user action before it can be completed successfully. Payment can be "
    "completed using the PaymentIntent associated with the invoice."
)


@dataclass(frozen=True)
class InvoiceAttempt:
    """The outcome of an attempt to collect an invoice; `error` is set, ready to be raised, if it failed.

    A bank debit that is still pending has neither an error nor a paid invoice.
    """

    invoice: Body
    intent: Body | None = None
    error: ApiError | None = None

    @property
    def is_paid(self) -> bool:
        return bool(self.invoice["status"] == "paid")


def pay_invoice(  # noqa: PLR0913 -- the circumstances of a payment
    invoice: Body,
    *,
    payment_method: Body | str | None = None,
    off_session: bool = True,
    paid_out_of_band: bool = False,
    return_url: str | None = None,
    is_automatic: bool = False,
) -> InvoiceAttempt:
    """Try once to collect an invoice; a draft is finalized first. `is_automatic` marks a scheduled retry.

    A declined card is an attempt with an error, not an exception: what was written stays. Raises ApiError only where
    nothing was tried: the invoice's state does not allow it, or the method does not exist.
    """
    with clocks.time_of(invoice):
        if invoice["status"] == "draft":
            finalize_invoice(invoice, collects_later=False)
            if invoice["status"] == "paid":
                return InvoiceAttempt(invoice)
        _require_open(invoice)
        if paid_out_of_band:
            invoice_payments.cancel_payment(invoice)
            mark_paid(invoice, how="off_stripe")
            return InvoiceAttempt(invoice)
        method = _method_for(invoice, payment_method)
        if method is None:
            return _without_method(invoice, is_automatic=is_automatic)
        return _charge(invoice, method, off_session=off_session, return_url=return_url, is_automatic=is_automatic)


def _require_open(invoice: Body) -> None:
    if invoice["status"] == "paid":
        raise ApiError("Invoice is already paid", is_executed=True)
    if invoice["status"] not in OPEN:
        raise ApiError(NOT_OPEN, is_executed=True)


def _method_for(invoice: Body, given: Body | str | None) -> Body | None:
    """The method to charge, in Stripe's order: given, the invoice's, the subscription's, the customer's."""
    if isinstance(given, str):
        return resolve(given)
    if given is not None:
        return given
    subscription = store.find("subscription", subscription_of(invoice) or "") or {}
    customer = store.find("customer", invoice["customer"]) or {}
    named = (
        invoice["default_payment_method"]
        or subscription.get("default_payment_method")
        or (customer.get("invoice_settings") or {}).get("default_payment_method")
    )
    return store.find("payment_method", named or "")


def subscription_of(invoice: Body) -> str | None:
    """The subscription that an invoice bills, if any."""
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    found: str | None = details.get("subscription")
    return found


def _without_method(invoice: Body, *, is_automatic: bool) -> InvoiceAttempt:
    if is_automatic:
        note_failure(invoice, is_automatic=True)
    error = ApiError(NO_METHOD, code="resource_missing", is_executed=True, keeps_changes=True)
    return InvoiceAttempt(refresh(invoice), invoice_payments.intent_of(invoice), error)


def _charge(
    invoice: Body, method: Body, *, off_session: bool, return_url: str | None, is_automatic: bool
) -> InvoiceAttempt:
    intent = _payable_intent(invoice)
    if method["type"] not in intent["payment_method_types"]:
        intent["payment_method_types"] = [*intent["payment_method_types"], method["type"]]
    # Billing never fails because the customer is absent: it asks them to return (docs: "Handle payments that need
    # actions").
    is_alone = off_session and not _is_challenged(intent, method)
    attempt = intents.confirm_intent(intent, method, off_session=is_alone, return_url=return_url)
    follow(attempt.intent, is_automatic=is_automatic)
    error = attempt.error
    if error is None and attempt.intent["status"] == "requires_action":
        error = ApiError(
            NEEDS_ACTION,
            status=402,
            kind="card_error",
            code="invoice_payment_intent_requires_action",
            keeps_changes=True,
            details={"payment_intent": attempt.intent},
        )
    return InvoiceAttempt(refresh(invoice), attempt.intent, error)


def _is_challenged(intent: Body, method: Body) -> bool:
    return method["type"] == "card" and intents.is_challenged_for(intent, method, off_session=True)


def _payable_intent(invoice: Body) -> Body:
    """The invoice's intent, or a new one if that was cancelled. Raises while a bank debit is pending."""
    intent = invoice_payments.intent_of(invoice)
    if intent is not None and intent["status"] == "processing":
        raise ApiError("This invoice has a payment that is still processing.", is_executed=True)
    if intent is None or intent["status"] not in CANCELABLE:
        invoice_payments.cancel_payment(invoice)
        invoice_payments.open_payment(invoice)
        store.save(invoice)
        return store.fetch("payment_intent", invoice["_intent"])
    return intent
