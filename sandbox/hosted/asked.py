"""The data that a session's page asks the buyer for."""

from dataclasses import dataclass

from sandbox import store
from sandbox.checkout.subscribing import needs_method
from sandbox.store import Body

DEFAULT_REDISPLAY = ("always",)


@dataclass(frozen=True)
class Asked:
    """The fields of a page. `types` has the payment method types in order, `saved` the customer's methods to show."""

    email: str | None
    is_email_known: bool
    needs_method: bool
    types: tuple[str, ...]
    saved: tuple[Body, ...]
    can_save: bool
    can_remove: bool
    wants_phone: bool
    wants_address: bool
    wants_country: bool
    wants_terms: bool
    custom_fields: list[Body]

    @property
    def first_choice(self) -> str:
        """The payment method that is selected at first: a saved one's id, or a type."""
        return str(self.saved[0]["id"]) if self.saved else self.types[0]

    @property
    def has_choice(self) -> bool:
        return len(self.saved) + len(self.types) > 1


def asked_by(session: Body) -> Asked:
    """The fields that a session's page needs."""
    email = known_email(session)
    options = session["saved_payment_method_options"] or {}
    keeps_buyer = session["customer"] or session["customer_creation"] == "always"
    return Asked(
        email=email or (session["customer_details"] or {}).get("email"),
        is_email_known=bool(email),
        needs_method=is_method_needed(session),
        types=tuple(session["payment_method_types"]),
        saved=tuple(_saved_methods(session, options)),
        can_save=options.get("payment_method_save") == "enabled" and bool(keeps_buyer),
        can_remove=options.get("payment_method_remove") == "enabled",
        wants_phone=session["phone_number_collection"]["enabled"],
        wants_address=session["billing_address_collection"] == "required",
        wants_country=session["automatic_tax"]["enabled"],
        wants_terms=(session["consent_collection"] or {}).get("terms_of_service") == "required",
        custom_fields=session["custom_fields"],
    )


def is_method_needed(session: Body) -> bool:
    """Whether a payment method is needed: always for a setup, otherwise if there is an amount to pay."""
    if session["mode"] == "setup":
        return True
    return needs_method(session) if session["mode"] == "subscription" else session["amount_total"] > 0


def _saved_methods(session: Body, options: Body) -> list[Body]:
    """The customer's methods that may be shown again, newest first (docs: "Saved payment methods")."""
    if not session["customer"] or session["mode"] == "setup":
        return []
    allowed = options.get("allow_redisplay_filters") or DEFAULT_REDISPLAY
    rows = store.rows("payment_method").filter(customer=session["customer"], body__allow_redisplay__in=allowed)
    methods = rows.order_by("-sequence").values_list("body", flat=True)
    return [method for method in methods if method["type"] in session["payment_method_types"]]


def known_email(session: Body) -> str | None:
    """The email address from the session or the customer, which the buyer cannot change on the page, or None."""
    customer = store.find("customer", session["customer"] or "") or {}
    known: str | None = session["customer_email"] or customer.get("email")
    return known
