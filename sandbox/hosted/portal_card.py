"""The portal's form for adding a card."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.payments.card_numbers import card_for, check_cvc, check_expiry
from sandbox.payments.methods import create_card
from sandbox.protocol.errors import ApiError
from sandbox.store import Body

FIELDS = ("cardNumber", "cardExpiry", "cardCvc", "billingName")
FIELD_OF_PARAM = {"exp_month": "cardExpiry", "exp_year": "cardExpiry", "cvc": "cardCvc"}
EXPIRY_DIGITS = 4


def expiry_digits(typed: str) -> str:
    """The expiry as MMYY, from 1230, 12/30, 12 / 30 or 12/2030."""
    month, _, year = typed.partition("/")
    joined = month.strip().zfill(2) + year.strip()[-2:] if year else month
    return "".join(character for character in joined if character in "0123456789")


@dataclass
class CardForm:
    """`values` and `errors` by the ids of the page's fields."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, posted: Mapping[str, str]) -> "CardForm":
        """Read the posted form."""
        return cls({name: str(posted.get(name, "")).strip() for name in FIELDS})

    def payment_method(self) -> Body | None:
        """The card, stored; None if it is invalid, with the reason in `errors`."""
        self.errors |= {name: "Required" for name in FIELDS if not self.values[name]}
        expiry = expiry_digits(self.values["cardExpiry"])
        if "cardExpiry" not in self.errors and len(expiry) != EXPIRY_DIGITS:
            self.errors["cardExpiry"] = "Your card's expiration date is incomplete."
        if self.errors:
            return None
        try:
            card = card_for(self.values["cardNumber"])
            year = check_expiry(int(expiry[:2]), int(expiry[2:]))
            check_cvc(self.values["cardCvc"], card)
        except ApiError as error:
            self.show_error(error)
            return None
        billing = {"name": self.values["billingName"]}
        return create_card(card, exp_month=int(expiry[:2]), exp_year=year, billing=billing)

    def show_error(self, error: ApiError) -> None:
        """Add an error to the field where the customer can correct it."""
        self.errors[FIELD_OF_PARAM.get(error.param or "", "cardNumber")] = error.message

    @property
    def focused(self) -> str:
        """The first field with an error, or an empty string."""
        return next((name for name in FIELDS if name in self.errors), "")
