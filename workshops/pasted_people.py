"""A list of participants pasted from a spreadsheet or a mail: one person per line, with or without an address."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.canonical_addresses import canonical_address
from accounts.names import clean_name
from workshops.participants import NAME_LENGTH, Participant, shown_part_of

# No list is longer than what a workshop holds; this only keeps a request small.
_LONGEST_LIST = 100_000
_ADDRESS = re.compile(r"[^\s<>(),;\"]+@[^\s<>(),;\"]+")
# What stands around a name: separators, quotes and brackets, and the number or bullet that begins a line.
_AROUND = ' \t\u00a0,;<>()[]"“”|'
_BULLET = re.compile(r"^\s*(?:\d{1,3}[.)]\s+|[-*•–]\s+)")  # an en dash begins items of pasted lists


class PastedPeopleField(forms.CharField):
    """Participants, one per line: "Ada Lovelace, ada@example.org". Its value is a list of Participant."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=_LONGEST_LIST, widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}), strip=False, **options
        )

    def clean(self, value: Any) -> Any:
        typed = super().clean(value)
        people, wrong = [], []
        for number, line in enumerate(typed.splitlines(), 1):
            try:
                person = read_line(line)
            except ValidationError as error:
                wrong.append(f"Line {number}, “{shown_part_of(line)}”: {error.messages[0]}")
            else:
                people += [person] if person.name or person.email else []
        if wrong:
            raise ValidationError(wrong)
        return people


def read_line(line: str) -> Participant:
    """The person of one line; an empty one for a line without name and address. Raises ValidationError."""
    found = _ADDRESS.search(line)
    rest = line[: found.start()] + " " + line[found.end() :] if found else line
    name = clean_name(_BULLET.sub("", rest).strip(_AROUND), at_most=NAME_LENGTH)
    return Participant(name, canonical_address(found[0]) if found else "")
