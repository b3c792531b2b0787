"""Sessions in subscription mode: the first invoice is paid on the page (docs: "Build a subscriptions integration").

Where nothing is due today (a trial, a full discount), a separate setup intent collects a payment method.
"""

from typing import Any

from sandbox import store
from sandbox.billing.subscribing import retry_subscription, start_subscription
from sandbox.checkout.buyers import Buyer
from sandbox.checkout.sessions import (
    complete_session,
    emit_late_payment,
    granted_discounts,
    success_address,
)
from sandbox.payments import setups
from sandbox.payments.attempts import Attempt
from sandbox.payments.followers import call_followers
from sandbox.payments.mandates import BANK_DEBITS
from sandbox.payments.methods import card_behaviour
from sandbox.payments.saving import mark_attached
from sandbox.protocol.resource import presented
from sandbox.store import Body

TERMS = ("metadata", "trial_end")
FIELDS = (
    "application_fee_percent", "billing_cycle_anchor_config", "description", "on_behalf_of", "transfer_data",
    "trial_settings",
)  # fmt: skip


def needs_method(session: Body) -> bool:
    """Whether the buyer has to give a payment method, even where nothing is due today."""
    return bool(session["amount_total"] > 0 or session["payment_method_collection"] == "always")


def subscribe(session: Body, method: Body | None, _buyer: Buyer) -> Attempt | None:
    """One attempt to start the session's subscription."""
    if method:
        _keep(session, method)
    if session.get("_subscription"):
        return _retry(session, method)
    if session["amount_total"] == 0:
        return _start_later_paid(session, method)
    return _start(session, method)


def _keep(session: Body, method: Body) -> None:
    if method["allow_redisplay"] == "unspecified" and not method["customer"]:
        method["allow_redisplay"] = "limited"
        store.save(method)
    # A card that the bank refuses, or for which it asks for authentication, is saved only after it has paid.
    is_sure = method["type"] in BANK_DEBITS or (
        card_behaviour(method).decline is None and card_behaviour(method).challenge == "none"
    )
    if is_sure and session["amount_total"] > 0:
        mark_attached(method, session["customer"])


def _start(session: Body, method: Body | None) -> Attempt | None:
    """Start the subscription and pay its first invoice with this method."""
    customer = store.fetch("customer", session["customer"])
    started = start_subscription(
        customer,
        [_item(item) for item in session["_line_items"] if item["price"]["type"] == "recurring"],
        **_terms(session, method),
    )
    session |= {"_subscription": started.subscription["id"], "_invoice": started.invoice["id"]}
    store.save(session)
    attempt = started.attempt
    if attempt is None or attempt.intent is None:
        _finish(session, payment_status="no_payment_required")
        return None
    return _followed(session, attempt.intent, Attempt(attempt.intent, attempt.error))


def _followed(session: Body, intent: Body, attempt: Attempt) -> Attempt:
    follow(session, store.fetch("payment_intent", intent["id"]))
    is_waiting = attempt.intent["status"] == "requires_action"
    return Attempt(store.fetch("payment_intent", intent["id"]), None if is_waiting else attempt.error)


def _retry(session: Body, method: Body | None) -> Attempt | None:
    """Try another method for the invoice that a first attempt left open."""
    if method is None:
        return None
    subscription = store.fetch("subscription", session["_subscription"])
    tried = retry_subscription(subscription, method, return_url=success_address(session))
    if tried.intent is None:
        return None
    return _followed(session, tried.intent, Attempt(tried.intent, tried.error))


def _item(item: Body) -> dict[str, Any]:
    rates = [presented(store.fetch("tax_rate", rate)) for rate in item["_tax_rates"]]
    quantity = None if item["price"]["recurring"]["usage_type"] == "metered" else item["quantity"]
    return {"price": item["price"], "quantity": quantity, "metadata": item["metadata"]} | (
        {"tax_rates": rates} if rates else {}
    )


def _terms(session: Body, method: Body | None) -> dict[str, Any]:
    data = session["_subscription_data"]
    one_off = [item for item in session["_line_items"] if item["price"]["type"] != "recurring"]
    terms: dict[str, Any] = {name: data[name] for name in TERMS if name in data}
    return terms | {
        "automatic_tax": session["automatic_tax"]["enabled"],
        "default_tax_rates": [presented(store.fetch("tax_rate", rate)) for rate in session["_default_tax_rates"]],
        "discounts": granted_discounts(session),
        "fields": {"_session": session["id"]} | {name: data[name] for name in FIELDS if name in data},
        "one_off": [{"price": item["price"], "quantity": item["quantity"]} for item in one_off],
        "payment_method": method,
        "return_url": success_address(session),
        "trial_days": data.get("trial_period_days"),
    }


def _start_later_paid(session: Body, method: Body | None) -> Attempt | None:
    """Start a subscription with nothing due today: first set up the method, if there is one."""
    if method is None:
        return _start(session, None)
    intent = store.find("setup_intent", session.get("_setup_intent") or "") or setups.create_setup_intent(
        customer=session["customer"],
        payment_method_types=session["payment_method_types"],
        payment_method_options=session["payment_method_options"],
        _session=session["id"],
    )
    session["_setup_intent"] = intent["id"]
    store.save(session)
    attempt = setups.confirm_setup_intent(intent, method, return_url=success_address(session))
    call_followers(attempt.intent)
    return attempt


def follow(session: Body, intent: Body) -> None:
    """Update a session from its setup intent, or its first invoice's payment."""
    if intent["object"] == "setup_intent":
        if intent["status"] == "succeeded" and session["status"] == "open" and not session.get("_subscription"):
            _start(session, store.fetch("payment_method", intent["payment_method"]))
    elif session["status"] == "open":
        if intent["status"] == "succeeded":
            _finish(session, payment_status="paid")
        elif intent["status"] == "processing":
            _finish(session, payment_status="unpaid")
    elif session["payment_status"] == "unpaid" and intent["status"] in ("succeeded", "requires_payment_method"):
        emit_late_payment(session, succeeded=intent["status"] == "succeeded")


def _finish(session: Body, *, payment_status: str) -> None:
    session |= {"subscription": session["_subscription"], "invoice": session["_invoice"]}
    complete_session(session, payment_status=payment_status)
