"""Stripe's published bank accounts for payouts and the outcome for each (docs: "Testing", Connect)."""

from dataclasses import dataclass

ROUTING_NUMBER = "110000000"
PAYS_OUT = "000123456789"
ROUTING_WEIGHTS = (3, 7, 1)


@dataclass(frozen=True)
class BankFailure:
    """Why the bank returns a payout."""

    code: str
    message: str


FAILURES = {
    "000111111116": BankFailure("no_account", "The bank account details on file are probably incorrect."),
    "000111111113": BankFailure("account_closed", "The bank account has been closed."),
    "000222222227": BankFailure(
        "insufficient_funds", "Your Stripe account has insufficient funds to cover the payout."
    ),
    "000333333335": BankFailure("debit_not_authorized", "Debit transactions are not approved on your bank account."),
    "000444444440": BankFailure(
        "invalid_currency", "The bank was unable to process this payout because of its currency."
    ),
}
COULD_NOT_PROCESS = BankFailure("could_not_process", "The bank could not process this payout.")
PUBLISHED = (PAYS_OUT, *FAILURES)
# Tokens Stripe publishes for the same accounts.
TOKENS = {
    "btok_us": PAYS_OUT,
    "btok_us_verified": PAYS_OUT,
    "btok_us_noAccount": "000111111116",
    "btok_us_accountClosed": "000111111113",
    "btok_us_insufficientFunds": "000222222227",
    "btok_us_debitNotAuthorized": "000333333335",
    "btok_us_invalidCurrency": "000444444440",
}


def has_valid_routing_number(routing_number: str) -> bool:
    """The check digit of a US routing number."""
    if len(routing_number) != 9 or not routing_number.isdigit():  # noqa: PLR2004
        return False
    weighted = (int(digit) * ROUTING_WEIGHTS[index % 3] for index, digit in enumerate(routing_number))
    return sum(weighted) % 10 == 0
