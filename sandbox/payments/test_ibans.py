"""Stripe's test bank accounts for SEPA debit and how each one answers (docs: "Testing", SEPA Direct Debit)."""

from dataclasses import dataclass

DELAYED_SECONDS = 180.0


@dataclass(frozen=True)
class TestIban:
    """`extra_delay` is added to the sandbox's usual delay of an asynchronous payment."""

    iban: str
    about: str
    succeeds: bool
    extra_delay: float = 0.0


TEST_IBANS = (
    TestIban("AT611904300234573201", "succeeds", succeeds=True),
    TestIban("AT321904300235473204", "succeeds after three minutes", succeeds=True, extra_delay=DELAYED_SECONDS),
    TestIban("AT861904300235473202", "fails", succeeds=False),
    TestIban("AT051904300235473205", "fails after three minutes", succeeds=False, extra_delay=DELAYED_SECONDS),
    TestIban("DE89370400440532013000", "succeeds", succeeds=True),
    TestIban("DE62370400440532013001", "fails", succeeds=False),
    TestIban("IT60X0542811101000000123456", "fails", succeeds=False),
)
BY_IBAN = {account.iban: account for account in TEST_IBANS}
LETTER_OFFSET = 55


def normalised(iban: str) -> str:
    return "".join(iban.split()).upper()


def has_valid_check_digits(iban: str) -> bool:
    """The ISO 13616 remainder check."""
    shortest, longest = 15, 34
    if not iban.isalnum() or not shortest <= len(iban) <= longest or not iban.isascii():
        return False
    moved = iban[4:] + iban[:4]
    digits = "".join(str(ord(letter) - LETTER_OFFSET) if letter.isalpha() else letter for letter in moved)
    return int(digits) % 97 == 1
