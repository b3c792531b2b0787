"""The buyer's form on the Checkout page: read it, check it, and create a payment method from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox import store
from sandbox.checkout.buyers import Buyer
from sandbox.checkout.custom_fields import read_fields
from sandbox.hosted.asked import Asked
from sandbox.hosted.countries import COUNTRIES
from sandbox.hosted.portal_card import expiry_digits
from sandbox.payments.card_numbers import card_for, check_cvc, check_expiry
from sandbox.payments.method_data import check_us_account
from sandbox.payments.methods import create_card, create_sepa_debit, create_us_bank_account
from sandbox.payments.published_accounts import has_valid_check_digits, normalised
from sandbox.protocol.errors import ApiError
from sandbox.store import Body

# The field of the page for each parameter in Stripe's errors.
FIELD_OF_PARAM = {
    "number": "cardNumber",
    "exp_month": "cardExpiry",
    "exp_year": "cardExpiry",
    "cvc": "cardCvc",
    "sepa_debit[iban]": "iban",
    "us_bank_account[routing_number]": "routingNumber",
    "us_bank_account[account_number]": "accountNumber",
}
EXPIRY_DIGITS = 4
METHOD_FIELDS = {
    "card": ("cardNumber", "cardExpiry", "cardCvc"),
    "sepa_debit": ("iban",),
    "us_bank_account": ("routingNumber", "accountNumber"),
}
# The field of the page for each part of an address in Stripe's API.
ADDRESS_FIELDS = {
    "line1": "billingAddressLine1",
    "line2": "billingAddressLine2",
    "city": "billingLocality",
    "state": "billingAdministrativeArea",
    "postal_code": "billingPostalCode",
    "country": "billingCountry",
}
REQUIRED_ADDRESS = ("billingAddressLine1", "billingLocality", "billingPostalCode")
# In the order of the page: the first field with an error gets the focus.
FIELDS = (
    "email", "phoneNumber", "method", "cardNumber", "cardExpiry", "cardCvc", "iban", "routingNumber", "accountNumber",
    "billingName", *ADDRESS_FIELDS.values(), "promotionCode", "savePaymentMethod", "termsOfServiceConsent",
)  # fmt: skip
CUSTOM = "customField-"
QUANTITY = "quantity-"


@dataclass
class PayForm:
    """`values` and `errors` by the ids of the page's fields; `custom` by key and `quantities` by line item id."""

    values: dict[str, str]
    asked: Asked
    custom: dict[str, str] = field(default_factory=dict)
    quantities: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    is_filled: bool = False

    @classmethod
    def read(cls, posted: Mapping[str, str], asked: Asked) -> "PayForm":
        """Read the posted form; empty fields take known data about the buyer."""
        values = {name: str(posted.get(name, "")).strip() for name in FIELDS}
        values["email"] = values["email"] or asked.email or ""
        values["method"] = values["method"] or asked.first_choice
        return cls(
            values,
            asked,
            custom=_prefixed(posted, CUSTOM),
            quantities=_prefixed(posted, QUANTITY),
        )

    @property
    def address(self) -> dict[str, str | None]:
        """The billing address; None for parts that were not entered."""
        return {part: self.values[name] or None for part, name in ADDRESS_FIELDS.items()}

    @property
    def buyer(self) -> Buyer:
        """The buyer's data for the session."""
        return Buyer(
            email=self.values["email"],
            name=self.values["billingName"] or None,
            phone=self.values["phoneNumber"] or None,
            address=self.address,
            custom=self.custom,
            saves_method=bool(self.values["savePaymentMethod"]) and self.asked.can_save,
        )

    def check(self) -> bool:
        """Whether the form is complete and valid; problems are added to `errors`."""
        if "@" not in self.values["email"]:
            self.errors["email"] = "Your email is incomplete." if self.values["email"] else "Required"
        for name in self._needed():
            if not self.values[name]:
                self.errors[name] = "Required"
        if self.asked.wants_country and not self.values["billingCountry"]:
            self.errors["billingCountry"] = "Required"
        elif self.values["billingCountry"] and self.values["billingCountry"] not in dict(COUNTRIES):
            self.errors["billingCountry"] = "Choose a country from the list."
        is_typed = "cardExpiry" in self._needed() and "cardExpiry" not in self.errors
        if is_typed and len(expiry_digits(self.values["cardExpiry"])) != EXPIRY_DIGITS:
            self.errors["cardExpiry"] = "Your card's expiration date is incomplete."
        if self.asked.wants_terms and not self.values["termsOfServiceConsent"]:
            self.errors["termsOfServiceConsent"] = "Please accept the terms to continue."
        _, wrong = read_fields(self.asked.custom_fields, self.custom)
        self.errors |= {CUSTOM + key: message for key, message in wrong.items()}
        return not self.errors

    def _needed(self) -> tuple[str, ...]:
        """The required fields for the chosen payment method."""
        needed: tuple[str, ...] = ("phoneNumber",) if self.asked.wants_phone else ()
        if self.asked.needs_method:
            needed += METHOD_FIELDS.get(self.values["method"], ())
            needed += ("billingName",) if self.values["method"] in METHOD_FIELDS else ()
        if self.asked.wants_address:
            needed += REQUIRED_ADDRESS
        return needed

    def payment_method(self) -> Body | None:
        """The chosen or a new payment method, stored; None if it is invalid, with the reason in `errors`."""
        chosen = self.values["method"]
        billing = {
            "email": self.values["email"],
            "name": self.values["billingName"] or None,
            "phone": self.values["phoneNumber"] or None,
            "address": self.address,
        }
        try:
            if chosen in [method["id"] for method in self.asked.saved]:
                return store.fetch("payment_method", chosen)
            if chosen not in self.asked.types:
                self.errors["method"] = "Choose how to pay."
                return None
            makers = {"card": self._card, "sepa_debit": self._iban, "us_bank_account": self._account}
            return makers[chosen](billing)
        except ApiError as error:
            self.show_error(error)
            return None

    def _card(self, billing: Body) -> Body | None:
        card = card_for(self.values["cardNumber"])
        expiry = expiry_digits(self.values["cardExpiry"])
        year = check_expiry(int(expiry[:2]), int(expiry[2:]))
        check_cvc(self.values["cardCvc"], card)
        return create_card(card, exp_month=int(expiry[:2]), exp_year=year, billing=billing)

    def _iban(self, billing: Body) -> Body | None:
        iban = normalised(self.values["iban"])
        if not has_valid_check_digits(iban):
            self.errors["iban"] = "The IBAN you provided is invalid."
            return None
        return create_sepa_debit(iban, billing=billing)

    def _account(self, billing: Body) -> Body | None:
        check_us_account(self.values["accountNumber"], self.values["routingNumber"])
        return create_us_bank_account(
            self.values["accountNumber"], routing_number=self.values["routingNumber"], billing=billing
        )

    def show_error(self, error: ApiError) -> None:
        """Add an error to the field where the buyer can correct it."""
        fallback = (*METHOD_FIELDS.get(self.values["method"], ()), "method")[0]
        self.errors[FIELD_OF_PARAM.get(error.param or "", fallback)] = error.message

    @property
    def focused(self) -> str:
        """The first field with an error, or an empty string."""
        order = (*FIELDS, *(CUSTOM + wanted["key"] for wanted in self.asked.custom_fields))
        return next((name for name in order if name in self.errors), "")


def _prefixed(posted: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): str(posted[name]) for name in posted if name.startswith(prefix)}
