"""Fill the form after a click on a test card or bank account; the buyer's other input is kept."""

from sandbox.hosted.pay_form import ADDRESS_FIELDS, PayForm
from sandbox.payments.published_accounts import BY_NUMBER as ACCOUNTS
from sandbox.payments.published_accounts import IBANS, ROUTING_NUMBER
from sandbox.payments.published_cards import BY_NUMBER as CARDS

FILL = "fill:"
EXPIRY = "12 / 34"
# A fictitious buyer; the domain is reserved for examples.
BUYER = {"email": "test.buyer@example.com", "billingName": "Test Buyer", "phoneNumber": "+1 202 555 0100"}
ADDRESS = {
    "billingAddressLine1": "1 Example Street",
    "billingLocality": "Springfield",
    "billingPostalCode": "12345",
    "billingCountry": "US",
}


def fill(form: PayForm, number: str) -> None:
    """Fill in a published number, and the other empty fields with test data. An unknown number changes nothing."""
    chosen = _card(number) or _account(number)
    if not chosen or chosen["method"] not in form.asked.types:
        return
    form.values |= chosen
    known = CARDS.get(number) or ACCOUNTS[number]
    form.notes.append(f"Filled in {grouped(number)}: {known.about}.")
    rest = BUYER | (ADDRESS if form.asked.wants_address or form.asked.wants_country else {})
    for name, value in rest.items():
        form.values[name] = form.values[name] or value
    form.is_filled = True


def _card(number: str) -> dict[str, str]:
    card = CARDS.get(number)
    if card is None:
        return {}
    code = "1234" if card.brand == "amex" else "123"
    return {"method": "card", "cardNumber": grouped(number), "cardExpiry": EXPIRY, "cardCvc": code}


def _account(number: str) -> dict[str, str]:
    if number in [account.number for account in IBANS]:
        return {"method": "sepa_debit", "iban": number}
    if number in ACCOUNTS:
        return {"method": "us_bank_account", "accountNumber": number, "routingNumber": ROUTING_NUMBER}
    return {}


def grouped(number: str) -> str:
    """A card number in groups of four digits; any other number unchanged."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4)) if number in CARDS else number


assert set(ADDRESS) <= set(ADDRESS_FIELDS.values()), "the page has these fields"  # noqa: S101
