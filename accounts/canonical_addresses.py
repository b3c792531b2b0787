"""Email addresses in the one form in which they are stored, compared and sent to."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import idna
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

# RFC 5321: the local part, and the whole address; the latter is the length of the columns too.
_LONGEST_LOCAL_PART = 64
LONGEST_ADDRESS = 254
# What every mail server takes. Quoted and non-ASCII local parts need extensions that many lack.
_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")

_JOINERS = re.compile("[\u200c\u200d]")


def canonical_address(text: str) -> str:
    """The address in lower case, with an international domain as mail servers know it: ada@xn--mller-kva.de.

    Lower case, because no mail provider in use distinguishes it. Raises ValidationError for what cannot be mailed.
    """
    address = text.strip()
    local_part, _, domain = address.rpartition("@")
    # Persian domains have joiners; those in the wrong place are refused with the domain.
    if any(
        sign.isspace() or unicodedata.category(sign).startswith("C") for sign in local_part + _JOINERS.sub("", domain)
    ):
        raise ValidationError("This address contains a space or an invisible character.", code="invisible")
    if len(address) > LONGEST_ADDRESS:
        raise ValidationError("This address is too long.", code="max_length")
    local_part = local_part.lower()
    if len(local_part) > _LONGEST_LOCAL_PART:
        raise ValidationError("The part of this address before the @ is too long.", code="max_length")
    if not _LOCAL_PART.fullmatch(local_part):
        raise ValidationError("Enter an email address with plain letters and digits before the @.", code="local_part")
    canonical = f"{local_part}@{_ascii_domain(domain)}"
    if len(canonical) > LONGEST_ADDRESS:
        raise ValidationError("This address is too long.", code="max_length")
    # The checks above are about what can be stored and sent; this one is about the form in general. It lets localhost
    # pass, which is our own mail server.
    if "." not in domain:
        raise ValidationError("Enter a valid email address.", code="domain")
    validate_email(canonical)
    return canonical


def readable_address(address: str) -> str:
    """The address as its owner writes it, with an international domain in its own letters."""
    local_part, at, domain = address.rpartition("@")
    try:
        return f"{local_part}{at}{idna.decode(domain)}" if "xn--" in domain else address
    except idna.IDNAError:
        return address


class AddressField(forms.EmailField):
    """An email address in its canonical form."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # canonical_address checks more, and says what is wrong.
        self.validators = []

    def prepare_value(self, value: Any) -> Any:
        return readable_address(value) if isinstance(value, str) else value

    def to_python(self, value: Any) -> str:
        typed = super().to_python(value) or ""
        return canonical_address(typed) if typed else ""


def _ascii_domain(domain: str) -> str:
    if domain.startswith("["):
        raise ValidationError("Enter an email address with a domain, not a number.", code="domain")
    try:
        # UTS 46 folds case and width; without its transitional rules ß stays a letter of its own, as in today's DNS.
        return idna.encode(domain, uts46=True).decode("ascii").lower()
    except idna.IDNAError as error:
        raise ValidationError("Enter a valid email address.", code="domain") from error
