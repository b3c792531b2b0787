"""Starting a subscription, and the changes that a customer can make (docs: "Create subscriptions").

For Checkout and the billing portal as well as for the API. Amounts are minor units, moments seconds since the epoch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox import clock, store
from sandbox.billing import clocks, discounts, invoice_items, invoices
from sandbox.billing.invoice_paying import NO_METHOD, InvoiceAttempt
from sandbox.billing.periods import Interval, Period, first_on, period_from
from sandbox.billing.subscription_billing import draft_invoice, first_line, past_lines, trial_line
from sandbox.billing.subscription_changes import change_items, set_cancellation, undone
from sandbox.billing.subscription_shapes import items_of, new_item, new_subscription
from sandbox.billing.subscriptions import DAY, emitting_change, method_of, plan, refresh
from sandbox.payments.setups import create_setup_intent
from sandbox.protocol.errors import ApiError
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.store import Body
from sandbox.webhooks.events import emit, emitting_first


@dataclass(frozen=True)
class Terms:
    """The properties of a new subscription besides its items.

    `payment_method` is charged now and kept as the subscription's default. `discounts` are coupons, promotion codes or
    discounts as stored; `one_off` are arguments of `create_item` for the first invoice only, such as
    `{"price", "quantity"}`; `default_tax_rates` are whole tax rates; `fields` are copied into the subscription.
    """

    payment_method: Body | None = None
    payment_behavior: str = "allow_incomplete"
    off_session: bool = False
    return_url: str | None = None
    trial_days: int | None = None
    trial_end: int | None = None
    trial_from_plan: bool = False
    billing_cycle_anchor: int | None = None
    backdated_to: int | None = None
    proration_behavior: str = "create_prorations"
    cancel_at_period_end: bool = False
    cancel_at: int | str | None = None
    discounts: Sequence[Body] = ()
    one_off: Sequence[Body] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    default_tax_rates: Sequence[Body] = ()
    automatic_tax: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Started:
    """A new subscription, its first invoice, and the attempt to pay that; `attempt` is None if there was none."""

    subscription: Body
    invoice: Body
    attempt: InvoiceAttempt | None = None


def start_subscription(customer: Body, items: Sequence[Body], **terms: Any) -> Started:
    """A stored subscription with its first invoice, paid as its terms say.

    `items` are `{"price": price or its id, "quantity": 1}`, perhaps with metadata, tax_rates (whole) and discounts
    (granted ones' ids); `terms` are those of `Terms`. A declined card leaves an incomplete subscription and
    `attempt.error`, unless `payment_behavior` is error_if_incomplete, which raises and leaves nothing. Emits
    customer.subscription.created and then the events of the invoice.
    """
    chosen = Terms(**terms)
    with clocks.time_of(customer):
        subscription = _built(customer, [_with_price(item) for item in items], chosen)
        _claim_currency(customer, subscription["currency"])
        store.insert(subscription)
        for item in items_of(subscription):
            keep_item_row(item)
        outcome: list[Started] = []
        with emitting_first(lambda: _emit_created(subscription)):
            outcome.append(_bill_first(customer, subscription, chosen))
        plan(subscription)
    return outcome[0]


def retry_subscription(subscription: Body, method: Body, *, return_url: str | None = None) -> InvoiceAttempt:
    """Try an incomplete subscription's first invoice again, with another method; success makes it active."""
    with clocks.time_of(subscription):
        if subscription["default_payment_method"] != method["id"]:
            subscription["default_payment_method"] = method["id"]
            store.save(subscription)
        invoice = store.fetch("invoice", subscription["latest_invoice"])
        attempt = invoices.pay_invoice(invoice, payment_method=method, off_session=False, return_url=return_url)
        refresh(subscription)
    return attempt


def cancel_at_period_end(subscription: Body, details: Body | None = None) -> Body:
    """Let a subscription end with the period that is paid for; `details` are comment and feedback."""
    return _set_cancellation(subscription, cancels=True, details=details)


def resume(subscription: Body) -> Body:
    """Undo `cancel_at_period_end`."""
    return _set_cancellation(subscription, cancels=False, details=None)


def _set_cancellation(subscription: Body, *, cancels: bool, details: Body | None) -> Body:
    with clocks.time_of(subscription):
        with emitting_change(subscription):
            set_cancellation(subscription, at_period_end=cancels, details=details)
        plan(subscription)
    return subscription


def change_price(
    subscription: Body,
    price: Body | str,
    *,
    quantity: int | None = None,
    proration_behavior: str = "create_prorations",
) -> Body:
    """Change the price of the subscription's first item, with prorations."""
    wanted: Body = {"id": items_of(subscription)[0]["id"], "price": _price(price)}
    if quantity is not None:
        wanted["quantity"] = quantity
    return change_items(subscription, [wanted], proration_behavior=proration_behavior)


def keep_item_row(item: Body) -> None:
    """A row by which an item's own address finds its subscription."""
    row = {"id": item["id"], "object": "subscription_item", "created": item["created"]}
    store.insert(row | {"subscription": item["subscription"]})


def _price(given: Body | str) -> Body:
    return fetch_from_parameter("price", given, param="price") if isinstance(given, str) else given


def _with_price(item: Body) -> Body:
    return item | {"price": _price(item["price"])}


def _built(customer: Body, items: Sequence[Body], terms: Terms) -> Body:
    """The subscription with its periods, not stored."""
    now = clock.now()
    trial_end = _trial_end(items, terms, now)
    anchor = terms.billing_cycle_anchor or trial_end or _configured_anchor(items, terms, now) or now
    made = []
    for item in items:
        interval = Interval.of_price(item["price"])
        period = Period(now, trial_end) if trial_end else period_from(anchor, interval, now)
        if anchor > now and not trial_end and terms.backdated_to is not None:
            period = Period(terms.backdated_to, period.end)
        made.append(new_item(period=period, **item))
    subscription = new_subscription(
        customer,
        made,
        billing_cycle_anchor=anchor,
        default_payment_method=terms.payment_method["id"] if terms.payment_method else None,
        default_tax_rates=list(terms.default_tax_rates),
        metadata=dict(terms.metadata),
        start_date=now if terms.backdated_to is None else terms.backdated_to,
        trial_end=trial_end,
        trial_start=now if trial_end else None,
        status="trialing" if trial_end else "incomplete",
        _event_is_pending=True,
    )
    subscription |= terms.fields
    subscription["automatic_tax"] |= {
        "enabled": terms.automatic_tax,
        "liability": {"type": "self"} if terms.automatic_tax else None,
    }
    if terms.cancel_at_period_end:
        set_cancellation(subscription, at_period_end=True)
    elif terms.cancel_at is not None:
        set_cancellation(subscription, at=terms.cancel_at)
    return subscription


def _configured_anchor(items: Sequence[Body], terms: Terms, now: int) -> int | None:
    config = terms.fields.get("billing_cycle_anchor_config")
    return first_on(now, Interval.of_price(items[0]["price"]), config) if config else None


def _trial_end(items: Sequence[Body], terms: Terms, now: int) -> int | None:
    if terms.trial_end is not None:
        return terms.trial_end
    days = terms.trial_days
    if days is None and terms.trial_from_plan:
        days = max((item["price"]["recurring"]["trial_period_days"] or 0 for item in items), default=0)
    return now + days * DAY if days else None


def _claim_currency(customer: Body, currency: str) -> None:
    """The customer's first bill fixes their currency (docs: "The Customer object", currency)."""
    if customer["currency"] is None:
        customer["currency"] = currency
        store.save(customer)
        emit("customer.updated", customer, previous={"currency": None})


def _emit_created(subscription: Body) -> None:
    subscription.pop("_event_is_pending", None)
    store.save(subscription)
    emit("customer.subscription.created", subscription)


def _bill_first(customer: Body, subscription: Body, terms: Terms) -> Started:
    for granted in terms.discounts:
        discount = discounts.grant(granted, customer=customer["id"], subscription=subscription["id"])
        subscription["discounts"] = [*subscription["discounts"], discount["id"]]
        emit("customer.discount.created", discount)
    for extra in terms.one_off:
        facts = {"currency": subscription["currency"], "metadata": subscription["metadata"], **extra}
        if facts.get("price"):
            facts["price"] = _price(facts["price"])
        invoice_items.create_item(customer, subscription=subscription["id"], **facts)
    is_sent = subscription["collection_method"] == "send_invoice"
    invoice = draft_invoice(
        subscription, _first_lines(subscription, terms), billing_reason="subscription_create", auto_advance=is_sent
    )
    if is_sent and subscription["status"] == "incomplete":
        subscription["status"] = "active"
    store.save(subscription)
    attempt = None if is_sent else _collect_first(subscription, invoice, terms)
    refresh(subscription)
    return Started(subscription, invoices.refresh(invoice), attempt)


def _first_lines(subscription: Body, terms: Terms) -> list[Body]:
    is_prorated = terms.proration_behavior != "none"
    past = past_lines(subscription) if is_prorated else []
    if subscription["status"] == "trialing":
        return [*past, *(trial_line(subscription, item) for item in items_of(subscription))]
    return past + [first_line(subscription, item, is_prorated=is_prorated) for item in items_of(subscription)]


def _collect_first(subscription: Body, invoice: Body, terms: Terms) -> InvoiceAttempt | None:
    is_free = invoice["amount_due"] == 0
    method = terms.payment_method or method_of(subscription)
    waits = terms.payment_behavior == "default_incomplete"
    if is_free and waits and method is None:
        _ask_for_method(subscription)
    if is_free or waits:
        invoices.finalize_invoice(invoice, collects_later=False)
        return None
    if method is None:
        raise ApiError(NO_METHOD, code="resource_missing", is_executed=True)
    invoices.finalize_invoice(invoice, auto_advance=True, collects_later=False)
    if invoice["status"] == "paid":
        return None
    attempt = invoices.pay_invoice(
        invoice, payment_method=method, off_session=terms.off_session, return_url=terms.return_url
    )
    if attempt.error and terms.payment_behavior == "error_if_incomplete":
        raise undone(attempt.error)
    return attempt


def _ask_for_method(subscription: Body) -> None:
    """Nothing is due yet, so a setup intent collects the method (docs: "Use trial periods")."""
    intent = create_setup_intent(
        customer=subscription["customer"],
        payment_method_types=subscription["payment_settings"]["payment_method_types"] or ["card"],
        _subscription=subscription["id"],
    )
    subscription["pending_setup_intent"] = intent["id"]
    store.save(subscription)
