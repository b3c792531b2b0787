"""The buyer of a session: what was typed on the page, and the customer it becomes (docs: "Customers" of Checkout)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox import store
from sandbox.checkout.custom_fields import read_fields
from sandbox.checkout.shapes import known_customer_details, shown_exemption
from sandbox.checkout.totals import recalculate
from sandbox.payments.customers import create_customer, update_customer
from sandbox.payments.methods import EMPTY_ADDRESS
from sandbox.store import Body


@dataclass(frozen=True)
class Buyer:
    """What the buyer typed on the page. `address` holds Stripe's parts of an address, `custom` answers by key."""

    email: str | None = None
    name: str | None = None
    phone: str | None = None
    address: Mapping[str, str | None] = field(default_factory=dict)
    custom: Mapping[str, str] = field(default_factory=dict)
    saves_method: bool = False


def place_buyer(session: Body, address: Mapping[str, str | None] | None) -> None:
    """Calculate a session's taxes for the buyer's address; the customer's own where it may not be changed."""
    if not session["automatic_tax"]["enabled"]:
        return
    customer = store.find("customer", session["customer"] or "")
    if customer and customer.get("address") and session.get("_customer_update", {}).get("address") != "auto":
        session["_place"] = customer["address"]
    elif address and address.get("country"):
        session["_place"] = EMPTY_ADDRESS | dict(address)
    recalculate(session)


def write_buyer(session: Body, buyer: Buyer) -> None:
    """Record on the session what the buyer typed. The caller stores it."""
    known = session["customer_details"] or known_customer_details(
        {"email": session["customer_email"]}, mode=session["mode"]
    )
    customer = store.find("customer", session["customer"] or "") or {}
    session["customer_details"] = known | {
        "address": EMPTY_ADDRESS | {key: value for key, value in buyer.address.items() if value},
        "email": buyer.email or known["email"],
        "name": buyer.name,
        "phone": buyer.phone or known["phone"],
        "tax_exempt": shown_exemption(customer, mode=session["mode"]),
        "tax_ids": [],
    }
    session["custom_fields"], _ = read_fields(session["custom_fields"], buyer.custom)
    if (session["consent_collection"] or {}).get("terms_of_service") == "required":
        session["consent"] = {"promotions": None, "terms_of_service": "accepted"}
    place_buyer(session, buyer.address)


def ensure_customer(session: Body, buyer: Buyer) -> None:
    """Create the session's customer where one is wanted, or complete the given one."""
    if (store.find("customer", session["customer"] or "") or {}).get("deleted"):
        # Deleted since the session was opened: the buyer becomes a new customer.
        session["customer"] = None
    if session["customer"] is None:
        if _wants_customer(session):
            address = session["customer_details"]["address"]
            customer = create_customer(
                email=buyer.email,
                name=buyer.name,
                phone=buyer.phone,
                address=address if address["country"] else None,
                preferred_locales=["en"],
            )
            session["customer"] = customer["id"]
        return
    customer = store.fetch("customer", session["customer"])
    update_customer(customer, _completed(customer, session, buyer))


def _wants_customer(session: Body) -> bool:
    if session["mode"] == "subscription":
        return True
    return session["customer_creation"] == "always" or bool((session["invoice_creation"] or {}).get("enabled"))


def _completed(customer: Body, session: Body, buyer: Buyer) -> Body:
    """The changes to the given customer: missing fields, and those that `customer_update` allows."""
    allowed = session.get("_customer_update", {})
    change: Body = {}
    if not customer["email"] and buyer.email:
        change["email"] = buyer.email
    if allowed.get("name") == "auto" and buyer.name:
        change["name"] = buyer.name
    address = session["customer_details"]["address"]
    if allowed.get("address") == "auto" and address["country"]:
        change["address"] = address
    return change
