"""The participants of one line: read the names the student gave, and fill in the missing ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from accounts.canonical_addresses import canonical_address, readable_address
from accounts.names import clean_name

NAME_LENGTH = 150


class InvalidParticipants(ValueError):
    """The participants of an item are malformed. The message is shown to the student."""


@dataclass(frozen=True, slots=True)
class Participant:
    """One participant; name and email are empty if the student did not name one."""

    name: str = ""
    email: str = ""

    def __str__(self) -> str:
        address = readable_address(self.email)
        return f"{self.name} ({address})" if self.name and address else self.name or address


def read_participants(details: Mapping[str, Any], quantity: int) -> list[Participant]:
    """The participants in an item's details, at most `quantity`; empty ones for places without a name.

    Details come from the client, so they are fully validated. Raises InvalidParticipants.
    """
    if unknown := set(details) - {"participants"}:
        raise InvalidParticipants(f"A workshop registration has no field {min(map(str, unknown))[:30]!r}.")
    entries = details.get("participants", [])
    if not isinstance(entries, list):
        raise InvalidParticipants("Participants must be a list of names and email addresses.")
    if len(entries) > quantity:
        raise InvalidParticipants(f"You named {len(entries)} participants for {quantity} places.")
    return [_read_one(entry) for entry in entries]


def fill_places(
    participants: list[Participant], *, quantity: int, buyer_name: str, buyer_email: str
) -> list[Participant]:
    """One participant for each of `quantity` places.

    The first unnamed place is the buyer's, unless the buyer is named already; the others are guests of the buyer.
    """
    participants = participants + [Participant()] * (quantity - len(participants))
    is_buyer_named = any(participant.email == buyer_email for participant in participants)
    filled = []
    for participant in participants:
        if participant.name:
            filled.append(participant)
        elif participant.email:
            filled.append(Participant(participant.email.partition("@")[0][:NAME_LENGTH], participant.email))
        elif not is_buyer_named:
            filled.append(Participant(buyer_name[:NAME_LENGTH], buyer_email))
            is_buyer_named = True
        else:
            filled.append(Participant(f"Guest of {buyer_name}"[:NAME_LENGTH]))
    return filled


def _read_one(entry: object) -> Participant:
    if not isinstance(entry, dict) or not set(entry) <= {"name", "email"}:
        raise InvalidParticipants("A participant has a name and an email address, nothing else.")
    name, email = _text(entry, "name"), _text(entry, "email")
    try:
        return Participant(clean_name(name, at_most=NAME_LENGTH), canonical_address(email) if email else "")
    except ValidationError as error:
        raise InvalidParticipants(f"“{shown_part_of(name or email)}”: {error.messages[0]}") from None


def shown_part_of(typed: str) -> str:
    """The start of what a person typed, as far as it can be shown in a message to them."""
    return "".join(sign for sign in typed[:40] if sign.isprintable())


def _text(entry: Mapping[str, object], what: str) -> str:
    value = entry.get(what, "")
    if not isinstance(value, str):
        raise InvalidParticipants(f"A participant's {what} must be text.")
    return value.strip()
