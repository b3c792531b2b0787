import pytest
from django.core.exceptions import ValidationError
from django.core.mail.message import sanitize_address
from hypothesis import given
from hypothesis import strategies as st

from accounts.canonical_addresses import canonical_address, readable_address

ONE_ADDRESS = [
    "ada@müller.de",
    "ADA@MÜLLER.DE",
    "ada@mu\u0308ller.de",
    " ada@xn--mller-kva.de ",
    "Ada@XN--MLLER-KVA.de",
]
UNUSABLE = [
    "ada@example.org\u202c",
    "\u200bada@example.org",
    "ada\ufeff@example.org",
    "ada@exa\u00admple.org",
    "ada @example.org",
    "ada@example.org\nBcc: b@example.org",
    "jürgen@example.org",
    '"ada"@example.org',
    '"a b"@example.org',
    "a..b@example.org",
    ".a@example.org",
    "a" * 65 + "@example.org",
    "ada@" + "b" * 64 + ".org",
    "ada@[192.0.2.1]",
    "ada@b@example.org",
    "Ada <ada@example.org>",
    "ada@example",
    "ada@localhost",
    "ada@\u200dexample.org",
    "ada\u200c@example.org",
    "@example.org",
    "",
]


@pytest.mark.parametrize("written", ONE_ADDRESS)
def test_every_form_of_an_address_is_one(written):
    assert canonical_address(written) == "ada@xn--mller-kva.de"
    assert readable_address("ada@xn--mller-kva.de") == "ada@müller.de"


def test_a_persian_domain_is_read_as_it_is_written():
    assert canonical_address("ali@نامه\u200cای.com") == "ali@xn--mgba3gch31f060k.com"


@pytest.mark.parametrize("address", UNUSABLE)
def test_what_cannot_be_mailed_is_refused(address):
    with pytest.raises(ValidationError):
        canonical_address(address)


@given(st.one_of(st.text(max_size=40), st.emails(), st.text(max_size=20).map(lambda domain: f"ada@{domain}.org")))
def test_whatever_is_accepted_can_be_mailed_and_stays_as_it_is(text):
    try:
        address = canonical_address(text)
    except ValidationError:
        return
    assert sanitize_address(address, "utf-8") == address
    assert canonical_address(address) == canonical_address(readable_address(address)) == address
