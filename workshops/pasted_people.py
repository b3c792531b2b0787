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
# Commas and colons as they are typed in Latin, Chinese and Arabic script.
_MARKS = ",;:|，、；：،؛"
_ADDRESS = re.compile(rf"(?:mailto:)?([^\s<>()\[\]\"{_MARKS}]+@[^\s<>()\[\]\"{_MARKS}]+)", re.IGNORECASE)
# What stands around a name: separators, quotes and dashes, and the number or bullet that begins a line.
_AROUND = f' \t\u00a0{_MARKS}"“”„-–—'
_BULLET = re.compile(r"^\s*(?:[#(]?\d{1,3}(?:[.):、．]\s*|\s+)|[-*•·–—]\s+)(?!\d)")
# Between the columns of a line, once the address is gone: a comma may belong to the name, as in "Lovelace, Ada".
_BETWEEN_COLUMNS = re.compile(r"\s*[;|；؛\t]\s*")
_COMMAS = re.compile(r"\s*([,，،])(?:\s*[,，،])+\s*")
_EMPTY_BRACKETS = re.compile(r"\(\s*\)|<\s*>|\[\s*\]")
# First lines of tables, with or without an address in each row.
_HEADINGS = frozenset(
    [
        "name",
        "names",
        "first",
        "last",
        "firstname",
        "lastname",
        "surname",
        "forename",
        "full",
        "given",
        "family",
        "vorname",
        "nachname",
        "nom",
        "prénom",
        "email",
        "e-mail",
        "mail",
        "address",
        "adresse",
        "teilnehmer",
        "participant",
        "participants",
        "#",
    ]
)


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
            if number == 1 and _is_heading(line):
                continue
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
    rest = _EMPTY_BRACKETS.sub(" ", _BULLET.sub("", rest.replace("\ufeff", ""))).strip(_AROUND)
    name = _COMMAS.sub(r"\1 ", _BETWEEN_COLUMNS.sub(" ", rest))
    return Participant(clean_name(name, at_most=NAME_LENGTH), canonical_address(found[1]) if found else "")


def _is_heading(line: str) -> bool:
    """Whether it names columns: "Name;E-Mail". One such word alone may be a person."""
    words = re.split(rf"[\s{_MARKS}]+", line.strip().casefold())
    return len(words) > 1 and all(word in _HEADINGS for word in words)
