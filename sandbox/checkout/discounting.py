"""The discount of a session: set by the server, or typed by the buyer (docs: "Add discounts to a Checkout Session")."""

from sandbox import clock, identifiers, store
from sandbox.billing import discounts, periods
from sandbox.billing.periods import Interval
from sandbox.checkout.totals import granted_of, recalculate
from sandbox.protocol.errors import ApiError
from sandbox.store import Body

# The buyer's message, whatever is wrong with a code: it reveals nothing about the shop's codes.
INVALID_CODE = "This code is invalid."


def set_discount(session: Body, entry: Body) -> None:
    """Apply the coupon or promotion code that the session's creator named. Raises Stripe's 400."""
    customer = store.find("customer", session["customer"] or "")
    granted = discounts.chosen(
        entry,
        amount=recalculate(session)["amount_subtotal"],
        currency=session["currency"],
        customer=customer,
        param="discounts[0]",
    )
    _note(session, granted)


def apply_code(session: Body, typed: str) -> str | None:
    """Try a code that the buyer typed. Returns its error, or nothing if it was applied. The caller stores it."""
    customer = store.find("customer", session["customer"] or "")
    code = discounts.find_code(typed, customer=session["customer"])
    if code is None:
        return INVALID_CODE
    try:
        discounts.require_usable(
            code, amount=session["amount_subtotal"], currency=session["currency"], customer=customer
        )
    except ApiError:
        return INVALID_CODE
    _note(session, code)
    return None


def remove_code(session: Body) -> None:
    """Remove the buyer's code again. The caller stores the session."""
    session |= {"discounts": [], "_discount": None}
    recalculate(session)


def _note(session: Body, granted: Body) -> None:
    coupon = discounts.coupon_of(granted)
    code_id = granted["id"] if granted["object"] == "promotion_code" else None
    session["discounts"] = [{"coupon": coupon["id"], "promotion_code": code_id}]
    session["_discount"] = _preview(session, coupon, code_id)
    recalculate(session)


def _preview(session: Body, coupon: Body, code_id: str | None) -> Body:
    """The discount to be granted; nothing is redeemed before the session is complete."""
    start = clock.now()
    months = coupon["duration_in_months"] if coupon["duration"] == "repeating" else None
    return {
        "id": identifiers.new_id("di_1", 23),
        "object": "discount",
        "checkout_session": session["id"],
        "customer": session["customer"],
        "customer_account": None,
        "end": periods.boundary(start, Interval("month", months), 1) if months else None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": code_id,
        "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": start,
        "subscription": None,
        "subscription_item": None,
        "_coupon": coupon,
    }


def redeem_discount(session: Body) -> None:
    """Count the use of a one-off payment's discount; a subscription's was counted when it was granted."""
    granted = granted_of(session)
    if granted is None:
        return
    session["_discount"]["customer"] = session["customer"]
    store.insert(session["_discount"])
    discounts.redeem(granted)
