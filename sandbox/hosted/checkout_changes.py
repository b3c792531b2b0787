"""Changes that a buyer makes on the page before paying: quantities, a promotion code, the country for tax."""

from collections.abc import Mapping

from sandbox import store
from sandbox.checkout.buyers import place_buyer
from sandbox.checkout.discounting import apply_code, remove_code
from sandbox.checkout.totals import recalculate
from sandbox.hosted.filling import FILL, fill
from sandbox.hosted.pay_form import QUANTITY, PayForm
from sandbox.payments.detaching import detach_method
from sandbox.protocol.money import written
from sandbox.store import Body

ONLY_CHANGES = ("update", "promotion", "remove-promotion")
REMOVE_METHOD = "remove-method:"


def is_only_change(posted: Mapping[str, str]) -> bool:
    """Whether the pressed button only changes the form or the order, without paying."""
    pressed = posted.get("do", "")
    return pressed in ONLY_CHANGES or pressed.startswith((REMOVE_METHOD, FILL))


def apply_changes(session: Body, form: PayForm, posted: Mapping[str, str]) -> bool:
    """Apply the buyer's changes and store the session. Returns whether the buyer must see the form again."""
    before = session["amount_total"]
    pressed = posted.get("do", "")
    if pressed.startswith(REMOVE_METHOD):
        _remove_method(form, pressed.removeprefix(REMOVE_METHOD))
    elif pressed.startswith(FILL):
        fill(form, pressed.removeprefix(FILL))
    if session["mode"] != "setup":
        _change_quantities(session, form)
        _change_discount(session, form, pressed)
        place_buyer(session, form.address)
    store.save(session)
    if form.errors or pressed == "update":
        return bool(form.errors)
    if session["amount_total"] != before:
        total = written(session["amount_total"], session["currency"])
        # A buyer who pressed the pay button must confirm the new total; other buttons only show it.
        again = "" if is_only_change(posted) else " Press the button again to pay this amount."
        form.notes.append(f"The total is now {total}.{again}")
        return True
    return False


def _change_quantities(session: Body, form: PayForm) -> None:
    for item in session["_line_items"]:
        bounds, typed = item["adjustable_quantity"], form.quantities.get(item["id"])
        if bounds is None or typed is None or typed == str(item["quantity"]):
            continue
        is_number = typed.isascii() and typed.isdigit()
        if not is_number or not bounds["minimum"] <= int(typed) <= bounds["maximum"]:
            least, most = bounds["minimum"], bounds["maximum"]
            form.errors[QUANTITY + item["id"]] = f"Choose between {least} and {most}."
        else:
            item["quantity"] = int(typed)
    if not any(item["quantity"] for item in session["_line_items"]):
        first = session["_line_items"][0]
        form.errors[QUANTITY + first["id"]] = "Nothing is left to buy."
        session |= store.fetch("checkout.session", session["id"])
    recalculate(session)


def _change_discount(session: Body, form: PayForm, pressed: str) -> None:
    """Apply or remove the buyer's promotion code; a discount set by the shop stays (docs: "Add discounts")."""
    if not session["allow_promotion_codes"]:
        return
    typed = form.values["promotionCode"]
    if pressed == "remove-promotion":
        remove_code(session)
    elif typed and not session["discounts"]:
        wrong = apply_code(session, typed)
        if wrong:
            form.errors["promotionCode"] = wrong
        else:
            form.values["promotionCode"] = ""
    elif pressed == "promotion" and not session["discounts"]:
        form.errors["promotionCode"] = "Required"


def _remove_method(form: PayForm, method_id: str) -> None:
    """Remove a saved method, if the shop allows it."""
    if form.asked.can_remove and method_id in [method["id"] for method in form.asked.saved]:
        detach_method(store.fetch("payment_method", method_id))
        form.values["method"] = form.asked.types[0]
