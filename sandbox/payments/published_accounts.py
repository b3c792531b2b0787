"""Stripe's published bank accounts for SEPA and ACH debits and the answer of each (docs: "Testing", bank debits)."""

from dataclasses import dataclass

DELAYED_SECONDS = 180.0
ROUTING_NUMBER = "110000000"


@dataclass(frozen=True)
class Refusal:
    """Why a bank refuses a debit: the code and message of the failed charge.

    `error_code` replaces `code` in `last_payment_error` if `code` is not among Stripe's error codes.
    """

    code: str
    message: str
    error_code: str = ""


NO_FUNDS = Refusal("insufficient_funds", "The customer's account has insufficient funds to cover this payment.")
CLOSED = Refusal("account_closed", "The customer's bank account has been closed.")
NO_ACCOUNT = Refusal("no_account", "The customer's bank account could not be located.")
NOT_AUTHORIZED = Refusal(
    "debit_not_authorized", "The customer has notified their bank that this payment was unauthorized."
)
WRONG_CURRENCY = Refusal(
    "invalid_currency",
    "The bank was unable to process this payment because of its currency.",
    error_code="payment_method_currency_mismatch",
)


@dataclass(frozen=True)
class BankAccount:
    """One account by its IBAN or account number; `alias` is the part after `pm_usBankAccount_`.

    `extra_delay` is added to the usual delay of a bank's answer; with `never_answers` the debit stays processing.
    """

    number: str
    about: str
    refusal: Refusal | None = None
    extra_delay: float = 0.0
    alias: str = ""
    never_answers: bool = False


IBANS = (
    BankAccount("AT611904300234573201", "succeeds"),
    BankAccount("AT321904300235473204", "succeeds after three minutes", extra_delay=DELAYED_SECONDS),
    BankAccount("AT861904300235473202", "fails", NO_FUNDS),
    BankAccount("AT051904300235473205", "fails after three minutes", NO_FUNDS, extra_delay=DELAYED_SECONDS),
    BankAccount("DE89370400440532013000", "succeeds"),
    BankAccount("DE62370400440532013001", "fails", NO_FUNDS),
    BankAccount("IT60X0542811101000000123456", "fails", NO_FUNDS),
)
US_ACCOUNTS = (
    BankAccount("000123456789", "succeeds", alias="success"),
    BankAccount("000111111113", "fails: account closed", CLOSED, alias="accountClosed"),
    BankAccount("000111111116", "fails: no such account", NO_ACCOUNT, alias="noAccount"),
    BankAccount("000222222227", "fails: insufficient funds", NO_FUNDS, alias="insufficientFunds"),
    BankAccount("000333333335", "fails: debits not authorised", NOT_AUTHORIZED, alias="debitNotAuthorized"),
    BankAccount("000444444440", "fails: wrong currency", WRONG_CURRENCY, alias="invalidCurrency"),
    BankAccount("000000000009", "is never answered", alias="processing", never_answers=True),
)
BY_NUMBER = {account.number: account for account in (*IBANS, *US_ACCOUNTS)}
BY_ALIAS = {account.alias: account for account in US_ACCOUNTS}
LETTER_OFFSET = 55
ROUTING_WEIGHTS = (3, 7, 1, 3, 7, 1, 3, 7, 1)


def normalised(iban: str) -> str:
    return "".join(iban.split()).upper()


def has_valid_check_digits(iban: str) -> bool:
    """The check of an IBAN's length and check digits (ISO 13616)."""
    shortest, longest = 15, 34
    if not iban.isalnum() or not shortest <= len(iban) <= longest or not iban.isascii():
        return False
    moved = iban[4:] + iban[:4]
    digits = "".join(str(ord(letter) - LETTER_OFFSET) if letter.isalpha() else letter for letter in moved)
    return int(digits) % 97 == 1


def is_routing_number(typed: str) -> bool:
    """Whether the text is nine digits with a valid checksum (American Bankers Association)."""
    if len(typed) != len(ROUTING_WEIGHTS) or not (typed.isascii() and typed.isdigit()):
        return False
    return sum(int(digit) * weight for digit, weight in zip(typed, ROUTING_WEIGHTS, strict=True)) % 10 == 0
