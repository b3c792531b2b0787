"""The template context of the Checkout page."""

from datetime import UTC, datetime
from typing import Any

from sandbox import clock, store
from sandbox.checkout.totals import granted_of
from sandbox.hosted.countries import COUNTRIES
from sandbox.hosted.filling import FILL, grouped
from sandbox.hosted.merchant import merchant_of
from sandbox.hosted.pay_form import CUSTOM, QUANTITY, PayForm
from sandbox.payments.published_accounts import IBANS, ROUTING_NUMBER, US_ACCOUNTS
from sandbox.payments.published_cards import GROUPS
from sandbox.protocol.money import written
from sandbox.store import Body

VERBS = {"book": "Book", "donate": "Donate", "subscribe": "Subscribe"}
KINDS = (
    ("card", "method-card", "Card"),
    ("sepa_debit", "method-sepa", "SEPA bank debit"),
    ("us_bank_account", "method-us", "US bank account"),
)


def page_context(session: Body, form: PayForm) -> dict[str, Any]:
    """The context for the page's templates."""
    asked = form.asked
    is_setup = session["mode"] == "setup"
    is_shown = form.values["method"] in (*asked.types, *(method["id"] for method in asked.saved))
    return {
        "session": session,
        "form": form,
        "asked": asked,
        "is_setup": is_setup,
        "heading": _heading(session),
        "merchant": merchant_of(session.get("_payment_intent_data") or session.get("_subscription_data")),
        "button": _button(session),
        "lines": [] if is_setup else [_line(item, form) for item in session["_line_items"]],
        "renewals": _renewals(session),
        "trial": _trial(session),
        "discount": _discount(session),
        "takes_code": session["allow_promotion_codes"] and not session["discounts"],
        "tax_unknown": session["automatic_tax"]["status"] == "requires_location_inputs",
        "can_update": any(item["adjustable_quantity"] for item in session["_line_items"])
        or session["automatic_tax"]["enabled"],
        "kinds": [kind for kind in KINDS if kind[0] in asked.types],
        "saved": [_saved(method) for method in asked.saved],
        "chosen": form.values["method"] if is_shown else asked.first_choice,
        "custom_fields": [_custom_field(field, form) for field in asked.custom_fields],
        "countries": COUNTRIES,
        "country": form.values["billingCountry"] or ((session["_place"] or {}).get("country") or ""),
        "card_groups": [(title, [_choice(card.number, card.about) for card in cards]) for title, cards in GROUPS],
        "ibans": [_choice(account.number, account.about) for account in IBANS],
        "us_accounts": [_choice(account.number, account.about) for account in US_ACCOUNTS],
        "routing_number": ROUTING_NUMBER,
    }


def _choice(number: str, about: str) -> dict[str, str]:
    """A published test number, and the value of the button that fills it in."""
    return {"number": grouped(number), "about": about, "value": FILL + number}


def _heading(session: Body) -> str:
    headings = {"setup": "Save a payment method", "subscription": "Subscribe"}
    return headings.get(session["mode"], VERBS.get(session["submit_type"] or "", "Pay"))


def _button(session: Body) -> str:
    if session["mode"] == "setup":
        return "Save"
    if session["mode"] == "subscription":
        return "Start trial" if _trial(session) else "Subscribe"
    if session["amount_total"] == 0:
        return "Complete order"
    verb = VERBS.get(session["submit_type"] or "", "Pay")
    return f"{verb} {written(session['amount_total'], session['currency'])}"


def _line(item: Body, form: PayForm) -> dict[str, Any]:
    recurring = item["price"]["recurring"]
    name = QUANTITY + item["id"]
    return item | {
        "about": store.fetch("product", item["price"]["product"]).get("description"),
        "every": _every(recurring) if recurring else "",
        "field": name,
        "typed": form.quantities.get(item["id"], item["quantity"]),
        "error": form.errors.get(name),
        "is_postponed": item["_is_postponed"],
        "taxes": [tax for tax in item["_taxes"] if tax["amount"]],
    }


def _every(recurring: Body) -> str:
    count, interval = recurring["interval_count"], recurring["interval"]
    return f"per {interval}" if count == 1 else f"every {count} {interval}s"


def _renewals(session: Body) -> str:
    """The billing intervals of a subscription as text; empty for one-time payments."""
    recurring = [item["price"]["recurring"] for item in session["_line_items"] if item["price"]["recurring"]]
    return ", ".join(dict.fromkeys(_every(one).replace("per ", "every ") for one in recurring))


def _trial(session: Body) -> str:
    data = session.get("_subscription_data") or {}
    if data.get("trial_period_days"):
        days = data["trial_period_days"]
        return f"{days} day{'s' if days != 1 else ''} free"
    if data.get("trial_end") and data["trial_end"] > clock.now():
        return f"free until {datetime.fromtimestamp(data['trial_end'], UTC):%d %B %Y}"
    return ""


def _discount(session: Body) -> dict[str, Any] | None:
    granted = granted_of(session)
    if granted is None:
        return None
    is_code = granted["object"] == "promotion_code"
    return {
        "name": granted["code"] if is_code else granted["name"] or granted["id"],
        "amount": -session["total_details"]["amount_discount"],
        "can_remove": is_code and session["allow_promotion_codes"],
    }


def _saved(method: Body) -> dict[str, Any]:
    kind = method["type"]
    details = method[kind]
    names = {"card": details.get("display_brand", "card"), "sepa_debit": "SEPA account"}
    expiry = f", expires {details['exp_month']:02d}/{details['exp_year'] % 100:02d}" if kind == "card" else ""
    name = names.get(kind, "bank account").capitalize() if kind == "card" else names.get(kind, "Bank account")
    return {"id": method["id"], "label": f"{name} ending in {details['last4']}{expiry}"}


def _custom_field(field: Body, form: PayForm) -> dict[str, Any]:
    name, details = CUSTOM + field["key"], field[field["type"]]
    return {
        "id": name,
        "label": field["label"]["custom"],
        "optional": field["optional"],
        "type": field["type"],
        "options": details.get("options", []),
        "value": form.custom.get(field["key"], details["value"] or details["default_value"] or ""),
        "error": form.errors.get(name),
    }
