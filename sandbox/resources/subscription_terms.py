"""The terms of a subscription from a call's parameters, looked up and checked; items are read elsewhere."""

from sandbox import clock, store
from sandbox.billing.item_parameters import item_facts
from sandbox.billing.pending_updates import PENDING
from sandbox.billing.subscription_shapes import items_of
from sandbox.protocol.errors import ApiError, invalid_choice, missing_parameter, not_in_sandbox_yet
from sandbox.protocol.parameters import merge_metadata
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.protocol.routing import Call
from sandbox.resources.subscription_parameters import (
    changed_items,
    chosen_discounts,
    method_of_customer,
    near_future,
    require_one_currency,
    tax_rates,
)
from sandbox.store import Body

ENDS = ("max_period_end", "min_period_end")


def terms_of(call: Call, customer: Body, items: list[Body]) -> Body:
    """The terms of a new subscription: arguments for `start_subscription`."""
    if call.get("payment_behavior") == PENDING:
        raise ApiError(f"`{PENDING}` is for changes of a subscription that exists.", param="payment_behavior")
    terms: Body = {name: call[name] for name in ("payment_behavior", "off_session", "trial_from_plan", "proration_behavior",
                                           "cancel_at_period_end") if name in call.params}  # fmt: skip
    if call.get("default_payment_method"):
        terms["payment_method"] = method_of_customer(call["default_payment_method"], customer["id"])
    extras = call.get("add_invoice_items", [])
    for index, extra in enumerate(extras):
        path, currency = f"add_invoice_items[{index}]", items[0]["price"]["currency"]
        if "price" not in extra and "price_data" not in extra:
            raise missing_parameter(f"{path}[price]")
        facts = item_facts(extra, customer=customer, currency=currency, path=path)
        terms.setdefault("one_off", []).append(facts)
    return (
        terms
        | {
            "automatic_tax": call.get("automatic_tax", {}).get("enabled", False),
            "default_tax_rates": tax_rates(call.get("default_tax_rates"), "default_tax_rates"),
            "discounts": chosen_discounts(
                call.get("discounts"), customer=customer, prices=[item["price"] for item in items]
            ),
            "fields": _fields(call),
            "metadata": merge_metadata({}, call.get("metadata")),
        }
        | _schedule(call)
    )


def _schedule(call: Call) -> Body:
    """The terms for trial, start, billing anchor and end."""
    given: Body = {"trial_days": call.get("trial_period_days")}
    if call.get("trial_end") not in (None, "now"):
        if given["trial_days"]:
            raise ApiError("You can only set one of `trial_end` and `trial_period_days`.", param="trial_period_days")
        given["trial_end"] = near_future(call["trial_end"], "trial_end")
    if "backdate_start_date" in call.params:
        given["backdated_to"] = _past(call["backdate_start_date"])
    if "billing_cycle_anchor" in call.params:
        given["billing_cycle_anchor"] = near_future(call["billing_cycle_anchor"], "billing_cycle_anchor")
    if call.get("cancel_at") is not None:
        if call.get("cancel_at_period_end"):
            raise ApiError(
                "You may only specify one of these parameters: cancel_at, cancel_at_period_end.", param="cancel_at"
            )
        given["cancel_at"] = _end_of(call["cancel_at"])
    return given


def _past(moment: int) -> int:
    if moment > clock.now():
        raise ApiError("`backdate_start_date` must not be in the future.", param="backdate_start_date")
    return moment


def _end_of(given: int | str) -> int | str:
    if given == "max_billed_until":
        raise not_in_sandbox_yet("cancel_at")
    if isinstance(given, int):
        return near_future(given, "cancel_at")
    if given not in ENDS:
        raise invalid_choice("cancel_at", ENDS)
    return given


DEFAULTS: dict[str, Body] = {
    "invoice_settings": {
        "account_tax_ids": None,
        "custom_fields": None,
        "description": None,
        "footer": None,
        "issuer": {"type": "self"},
    },
    "payment_settings": {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": "off",
    },
}


def _fields(call: Call, current: Body | None = None) -> Body:
    """Parameters that are stored in the subscription as they are; hashes are merged with the current ones."""
    fields: Body = {name: call[name] for name in ("description", "trial_settings") if name in call.params}
    fields |= _connected(call)
    if "billing_cycle_anchor_config" in call.params:
        empty = dict.fromkeys(("hour", "minute", "month", "second"))
        fields["billing_cycle_anchor_config"] = empty | call["billing_cycle_anchor_config"]
    for name, default in DEFAULTS.items():
        if name in call.params:
            fields[name] = (current or {}).get(name, default) | call[name]
    method = call.get("collection_method", (current or {}).get("collection_method", "charge_automatically"))
    if "collection_method" in call.params:
        fields["collection_method"] = method
    days = call.get("days_until_due", (current or {}).get("days_until_due"))
    if method == "send_invoice" and days is None:
        raise ApiError(
            "You must pass `days_until_due` when `collection_method` is `send_invoice`.", param="days_until_due"
        )
    if method != "send_invoice" and "days_until_due" in call.params:
        raise ApiError(
            "You can only pass `days_until_due` when `collection_method` is `send_invoice`.", param="days_until_due"
        )
    if "collection_method" in call.params or "days_until_due" in call.params:
        fields["days_until_due"] = days if method == "send_invoice" else None
    return fields


def _connected(call: Call) -> Body:
    """The parameters for Connect, checked (docs: "Subscriptions with Connect")."""
    fields: Body = {name: call[name] or None for name in ("application_fee_percent", "on_behalf_of")
                    if name in call.params}  # fmt: skip
    if fields.get("on_behalf_of"):
        fetch_from_parameter("account", fields["on_behalf_of"], param="on_behalf_of")
    if "transfer_data" in call.params:
        given = call["transfer_data"]
        fields["transfer_data"] = {"amount_percent": None} | given if given else None
        if given:
            fetch_from_parameter("account", given["destination"], param="transfer_data[destination]")
    percent = fields.get("application_fee_percent")
    if percent is not None and not 0 <= float(percent) <= 100:  # noqa: PLR2004
        raise ApiError("`application_fee_percent` must be between 0 and 100.", param="application_fee_percent")
    return fields


def change_of(call: Call, subscription: Body) -> Body:
    """The changes of an update, looked up and checked, under the names of their parameters."""
    copied = ("cancel_at_period_end", "cancellation_details", "billing_cycle_anchor", "pause_collection")
    change: Body = {name: call[name] for name in copied if name in call.params}
    change["fields"] = _fields(call, subscription)
    customer = store.fetch("customer", subscription["customer"])
    if "metadata" in call.params:
        change["fields"]["metadata"] = merge_metadata(subscription["metadata"], call["metadata"])
    if "default_payment_method" in call.params:
        named = call["default_payment_method"]
        change["fields"]["default_payment_method"] = named and method_of_customer(named, customer["id"])["id"]
    if "default_tax_rates" in call.params:
        change["fields"]["default_tax_rates"] = tax_rates(call["default_tax_rates"], "default_tax_rates")
    if "automatic_tax" in call.params:
        is_enabled = call["automatic_tax"]["enabled"]
        liability = {"type": "self"} if is_enabled else None
        change["fields"]["automatic_tax"] = subscription["automatic_tax"] | {
            "enabled": is_enabled,
            "liability": liability,
        }
    if "items" in call.params:
        change["items"] = changed_items(call["items"])
        prices = [item["price"] for item in change["items"] if "price" in item]
        require_one_currency(prices, subscription["currency"])
    if "discounts" in call.params:
        prices = [item["price"] for item in items_of(subscription)]
        change["discounts"] = chosen_discounts(call["discounts"], customer=customer, prices=prices)
    if "trial_end" in call.params:
        moment = call["trial_end"]
        change["trial_end"] = moment if moment == "now" else near_future(moment, "trial_end")
    if "cancel_at" in call.params:
        change["cancel_at"] = None if call["cancel_at"] in (None, "") else _end_of(call["cancel_at"])
    return change
