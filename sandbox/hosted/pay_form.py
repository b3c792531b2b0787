"""What a buyer typed on the Checkout page: read, checked, and turned into a payment method."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.checkout.sessions import Buyer
from sandbox.payments.card_numbers import card_for, check_cvc, check_expiry
from sandbox.payments.methods import create_card, create_sepa_debit
from sandbox.payments.test_ibans import has_valid_check_digits, normalised
from sandbox.protocol.errors import ApiError
from sandbox.store import Body

# Which field of the page a parameter of Stripe's error belongs to.
FIELD_OF_PARAM = {
    "number": "cardNumber",
    "exp_month": "cardExpiry",
    "exp_year": "cardExpiry",
    "cvc": "cardCvc",
    "sepa_debit[iban]": "iban",
}
COUNTRIES = (
    ("US", "United States"), ("GB", "United Kingdom"), ("IE", "Ireland"), ("DE", "Germany"), ("FR", "France"),
    ("ES", "Spain"), ("IT", "Italy"), ("NL", "Netherlands"), ("AT", "Austria"), ("PL", "Poland"),
    ("CA", "Canada"), ("AU", "Australia"), ("IN", "India"), ("JP", "Japan"), ("BR", "Brazil"), ("MX", "Mexico"),
)  # fmt: skip
EXPIRY_DIGITS = 4
FIELDS = ("email", "method", "cardNumber", "cardExpiry", "cardCvc", "billingName", "billingCountry", "iban")


@dataclass
class PayForm:
    """The fields by their ids on the page; `errors` by the same ids."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, posted: Mapping[str, str], *, email: str | None) -> "PayForm":
        values = {name: str(posted.get(name, "")).strip() for name in FIELDS}
        values["email"] = values["email"] or email or ""
        values["method"] = values["method"] or "card"
        return cls(values)

    @property
    def buyer(self) -> Buyer:
        return Buyer(
            email=self.values["email"], name=self.values["billingName"] or None, country=self.values["billingCountry"]
        )

    def check(self, *, is_free: bool) -> bool:
        """Whether everything needed was typed; what is missing goes to `errors`."""
        if "@" not in self.values["email"]:
            self.errors["email"] = "Your email is incomplete." if self.values["email"] else "Required"
        if is_free:
            return not self.errors
        needed = ("cardNumber", "cardExpiry", "cardCvc") if self.values["method"] == "card" else ("iban",)
        for name in (*needed, "billingName"):
            if not self.values[name]:
                self.errors[name] = "Required"
        if "cardExpiry" in needed and "cardExpiry" not in self.errors and len(self._expiry()) != EXPIRY_DIGITS:
            self.errors["cardExpiry"] = "Your card's expiration date is incomplete."
        return not self.errors

    def _expiry(self) -> str:
        """MMYY, whether it was typed as 1230, 12/30, 12 / 30 or 12/2030."""
        month, _, year = self.values["cardExpiry"].partition("/")
        typed = month.strip().zfill(2) + year.strip()[-2:] if year else month
        return "".join(character for character in typed if character.isdigit())

    def payment_method(self) -> Body | None:
        """The payment method, stored; None when the card or account is wrong, with the reason in `errors`."""
        billing = {
            "email": self.values["email"],
            "name": self.values["billingName"] or None,
            "address": {"country": self.values["billingCountry"] or None},
        }
        try:
            if self.values["method"] == "sepa_debit":
                return self._bank_account(billing)
            card = card_for(self.values["cardNumber"])
            expiry = self._expiry()
            year = check_expiry(int(expiry[:2]), int(expiry[2:]))
            check_cvc(self.values["cardCvc"], card)
            return create_card(card, exp_month=int(expiry[:2]), exp_year=year, billing=billing)
        except ApiError as error:
            self.blame(error)
            return None

    def _bank_account(self, billing: Body) -> Body | None:
        iban = normalised(self.values["iban"])
        if not has_valid_check_digits(iban):
            self.errors["iban"] = "The IBAN you provided is invalid."
            return None
        return create_sepa_debit(iban, billing=billing)

    def blame(self, error: ApiError) -> None:
        """Put an error where the buyer can mend it."""
        fallback = "iban" if self.values["method"] == "sepa_debit" else "cardNumber"
        self.errors[FIELD_OF_PARAM.get(error.param or "", fallback)] = error.message

    @property
    def focused(self) -> str:
        """The first field in need of attention."""
        order = (*FIELDS[:1], *FIELDS[2:])
        return next((name for name in order if name in self.errors), "")
