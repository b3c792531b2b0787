"""Checks of a session as a whole: parameters that do not fit together, or the mode."""

from sandbox import clock
from sandbox.payments.intent_parameters import CURRENCY_OF, require_types
from sandbox.protocol.errors import ApiError, missing_parameter, not_in_sandbox_yet
from sandbox.protocol.money import MAXIMUM_CHARGE, minimum_charge, written
from sandbox.protocol.parameters import Integer
from sandbox.protocol.routing import Call
from sandbox.store import Body

HALF_HOUR, DAY = 1800, 24 * 3600
# Seconds of tolerance: the client computed the time before it sent the request.
GRACE = 30
LONGEST_TRIAL_DAYS = 730
MOST_LINES = {"payment": 100, "subscription": 40}
MOST_OF_A_KIND = 20
# Parameters that belong to some modes only.
MODES_OF = {
    "customer_creation": ("payment", "setup"),
    "discounts": ("payment", "subscription"),
    "invoice_creation": ("payment",),
    "line_items": ("payment", "subscription"),
    "payment_intent_data": ("payment",),
    "payment_method_collection": ("subscription",),
    "setup_intent_data": ("setup",),
    "submit_type": ("payment", "subscription"),
    "subscription_data": ("subscription",),
}
ALONE = (
    ("customer", "customer_email"),
    ("customer", "customer_creation"),
    ("allow_promotion_codes", "discounts"),
)


def check_call(call: Call) -> None:
    """Check what the parameters alone show."""
    mode = call.get("mode")
    if not mode:
        raise missing_parameter("mode")
    if call.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_in_sandbox_yet("ui_mode")
    if not call.get("success_url"):
        raise missing_parameter("success_url")
    _check_company(call, mode)
    if mode != "setup" and not call.get("line_items"):
        raise missing_parameter("line_items")
    if mode == "setup" and not call.get("currency") and not call.get("payment_method_types"):
        raise missing_parameter("currency")
    _check_trial(call.get("subscription_data", {}))
    _check_email(call.get("customer_email"))
    _check_lifetime(call.get("expires_at"))


def _check_company(call: Call, mode: str) -> None:
    """Parameters that exclude one another, or need another, or another mode."""
    for first, second in ALONE:
        if call.get(first) and call.get(second):
            param = first if first == "allow_promotion_codes" else second
            raise ApiError(f"You may only specify one of these parameters: {first}, {second}.", param=param)
    for name, modes in MODES_OF.items():
        if call.get(name) and mode not in modes:
            raise ApiError(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    if len(call.get("discounts", ())) > 1:
        raise ApiError("You may only pass one discount to a Checkout Session.", param="discounts")
    if call.get("customer_update") and not call.get("customer"):
        raise ApiError("`customer_update` can only be used with `customer`.", param="customer_update")


def _check_trial(data: Body) -> None:
    days, end = data.get("trial_period_days"), data.get("trial_end")
    if days is not None and end is not None:
        raise ApiError(
            "You may only specify one of these parameters: trial_end, trial_period_days.",
            param="subscription_data[trial_end]",
        )
    if days is not None:
        Integer(1, LONGEST_TRIAL_DAYS).read(str(days), "subscription_data[trial_period_days]")
    if end is not None and not 2 * DAY - GRACE <= end - clock.now() <= LONGEST_TRIAL_DAYS * DAY:
        raise ApiError(
            "The `trial_end` date has to be at least 2 days, and at most two years, in the future.",
            param="subscription_data[trial_end]",
        )


def _check_email(email: str | None) -> None:
    if email and "@" not in email:
        raise ApiError(f"Invalid email address: {email}", code="email_invalid", param="customer_email")


def _check_lifetime(expires_at: int | None) -> None:
    if expires_at is not None:
        lifetime = expires_at - clock.now()
        if not HALF_HOUR - GRACE <= lifetime <= DAY + GRACE:
            raise ApiError(
                "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
                param="expires_at",
            )


def check_lines(items: list[Body], mode: str) -> None:
    """Check how many lines of which kind the mode allows."""
    recurring = [item for item in items if item["price"]["type"] == "recurring"]
    if mode == "subscription" and not recurring:
        raise ApiError(
            "You must provide at least one recurring price in `subscription` mode when using prices.",
            param="line_items",
        )
    is_lopsided = max(len(recurring), len(items) - len(recurring)) > MOST_OF_A_KIND and mode == "subscription"
    if len(items) > MOST_LINES[mode] or is_lopsided:
        raise ApiError(
            f"A Checkout Session takes at most {MOST_LINES[mode]} line items in `{mode}` mode"
            + (
                f", {MOST_OF_A_KIND} of them recurring and {MOST_OF_A_KIND} one-time."
                if mode == "subscription"
                else "."
            ),
            param="line_items",
        )


def check_total(session: Body) -> None:
    """Raises if the amount to pay is too small or too large; zero passes."""
    total, currency = session["amount_total"], session["currency"]
    if total > MAXIMUM_CHARGE:
        raise ApiError(
            "The Checkout Session's total amount due must be no more than "
            f"{written(MAXIMUM_CHARGE, currency)} {currency}",
            code="amount_too_large",
        )
    if 0 < total < minimum_charge(currency):
        raise ApiError(
            "The Checkout Session's total amount due must add up to at least "
            f"{written(minimum_charge(currency), currency)} {currency}",
            code="amount_too_small",
        )


def check_types(types: list[str], currency: str | None) -> list[str]:
    """Raises if a payment method type is unknown here, or does not support the currency."""
    require_types(types)
    wrong = [kind for kind in types if currency and CURRENCY_OF.get(kind, currency) != currency]
    if wrong:
        raise ApiError(
            f"The currency provided ({currency}) is invalid for one or more payment method types on this Checkout "
            f"Session: {', '.join(wrong)}.",
            param="payment_method_types",
        )
    return types


def check_tax_location(session: Body, customer: Body | None) -> None:
    """Raises unless an existing customer has an address, or will get the one typed on the page."""
    if not session["automatic_tax"]["enabled"] or customer is None:
        return
    update = session.get("_customer_update", {})
    if not customer["address"] and "auto" not in (update.get("address"), update.get("shipping")):
        raise ApiError(
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address to the "
            "Customer or set either `customer_update[address]` to 'auto' or `customer_update[shipping]` to 'auto' to "
            "save the address entered in Checkout to the Customer.",
            code="customer_tax_location_invalid",
        )
