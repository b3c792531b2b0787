"""What buyers say about a gift, cleaned: pages and programs send the same fields."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.canonical_addresses import canonical_address
from accounts.names import LONGEST_NAME, clean_name
from accounts.one_line import clean_line
from payments.gifts.contracts import GiftWish

LONGEST_MESSAGE = 500
SENT_AT_MOST_AHEAD = timedelta(days=366)


def read_wish(*, receiver: str, email: str = "", message: str = "", send_on: date | None = None) -> GiftWish:
    """The wish with its texts as they are stored. Raises ValidationError with a message for each field."""
    problems: dict[str, Any] = {}
    wish = GiftWish(
        receiver=_cleaned("receiver", receiver, _name, problems),
        email=_cleaned("email", email, _address, problems),
        message=_cleaned("message", message, _message, problems),
        send_on=send_on,
    )
    if send_on is not None and (wrong := _wrong_day(send_on)):
        problems["send_on"] = wrong
    if send_on is not None and not email:
        problems["email"] = "Give an email address to send it to, or leave the day empty."
    if problems:
        raise ValidationError(problems)
    return wish


def _cleaned(name: str, text: str, clean: Callable[[str], str], problems: dict[str, Any]) -> str:
    try:
        return clean(text)
    except ValidationError as problem:
        problems[name] = problem
        return ""


def _address(text: str) -> str:
    return canonical_address(text) if text.strip() else ""


def _name(text: str) -> str:
    name = clean_name(text, at_most=LONGEST_NAME)
    if not name:
        raise ValidationError("Say who it is for.")
    return name


def _message(text: str) -> str:
    line = clean_line(text)
    if len(line) > LONGEST_MESSAGE:
        raise ValidationError(f"At most {LONGEST_MESSAGE} characters, please.")
    return line


def _wrong_day(day: date) -> str:
    today = timezone.localdate()
    if day < today:
        return "This day is over."
    return "At most a year ahead, please." if day > today + SENT_AT_MOST_AHEAD else ""
