"""Validate a card as typed by a buyer: number, expiry, CVC. The errors are those of creating a PaymentMethod."""

from datetime import UTC, datetime

from sandbox import clock
from sandbox.payments.published_cards import BY_NUMBER, PublishedCard
from sandbox.protocol.errors import ApiError

MONTHS = 12
AMEX_CVC, CVC = 4, 3
SHORTEST, LONGEST = 12, 19


def _card_error(message: str, code: str, param: str, decline_code: str | None = None) -> ApiError:
    details = {"decline_code": decline_code} if decline_code else {}
    return ApiError(message, status=402, kind="card_error", code=code, param=param, details=details, is_executed=True)


def has_valid_check_digit(number: str) -> bool:
    """The Luhn check of card numbers."""
    doubled = [int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0  # noqa: PLR2004


def card_for(number: str) -> PublishedCard:
    """The test card with this number. Raises Stripe's 402 for an incorrect number, or for a real card in test mode."""
    digits = "".join(character for character in number if character.isdigit())
    card = BY_NUMBER.get(digits)
    # Looked up first, because the published number for frictionless 3-D Secure has no valid check digit.
    if card is None and (not SHORTEST <= len(digits) <= LONGEST or not has_valid_check_digit(digits)):
        raise _card_error("Your card number is incorrect.", "incorrect_number", "number")
    if card is None:
        raise _card_error(
            "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid "
            "test cards, visit: https://stripe.com/docs/testing.",
            "card_declined",
            "number",
            "test_mode_live_card",
        )
    return card


def check_expiry(month: int, year: int) -> int:
    """The four-digit year. Raises Stripe's 402 for an invalid month or a date in the past."""
    if not 1 <= month <= MONTHS:
        raise _card_error("Your card's expiration month is invalid.", "invalid_expiry_month", "exp_month")
    full_year = year + 2000 if year < 100 else year  # noqa: PLR2004
    today = datetime.fromtimestamp(clock.now(), UTC)
    if not today.year <= full_year <= today.year + 50:
        raise _card_error("Your card's expiration year is invalid.", "invalid_expiry_year", "exp_year")
    if (full_year, month) < (today.year, today.month):
        raise _card_error("Your card's expiration month is invalid.", "invalid_expiry_month", "exp_month")
    return full_year


def check_cvc(cvc: str, card: PublishedCard) -> None:
    """Raise Stripe's 402 for a security code that is not all digits or has the wrong length."""
    wanted = AMEX_CVC if card.brand == "amex" else CVC
    if not (cvc.isascii() and cvc.isdigit()) or len(cvc) != wanted:
        raise _card_error("Your card's security code is invalid.", "invalid_cvc", "cvc")
