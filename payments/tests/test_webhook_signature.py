"""Which signatures are accepted: every byte of body and header counts, and five minutes either way."""

import hmac
import random
from hashlib import sha256

import pytest

from payments.webhook.signature import TOLERANCE_SECONDS, SignatureInvalid, TimestampOutsideTolerance, verify

BODY = '{"id": "evt_1", "object": "event", "note": "für £5"}'.encode()
NOW = 1_790_000_000
OLD, NEW, STRANGE = "whsec_old", "whsec_new", "whsec_strange"


def digest(secret, *, body=BODY, at=NOW):
    return hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()


def header(*secrets, at=NOW):
    """Stripe's header: one v1 per active secret, and the v0 it adds to test events."""
    return ",".join([f"t={at}", *(f"v1={digest(secret, at=at)}" for secret in secrets), f"v0={digest(STRANGE)}"])


def is_accepted(*, body=BODY, header, secrets=(NEW,), now=NOW):
    try:
        verify(body=body, header=header, secrets=secrets, now=now)
    except SignatureInvalid:
        return False
    return True


def test_what_stripe_signed_is_accepted():
    assert is_accepted(header=header(NEW))


def test_a_flipped_bit_anywhere_in_the_body_is_refused():
    for position in range(len(BODY)):
        for bit in range(8):
            forged = bytearray(BODY)
            forged[position] ^= 1 << bit
            assert not is_accepted(body=bytes(forged), header=header(NEW)), (position, bit)


@pytest.mark.parametrize(
    "forged",
    [b"", BODY[:-1], BODY[1:], BODY + b" ", b" " + BODY, BODY + b"\n", BODY + BODY, BODY.replace(b": ", b":")],
)
def test_a_body_cut_or_lengthened_is_refused(forged):
    assert not is_accepted(body=forged, header=header(NEW))


def test_a_changed_character_anywhere_in_time_or_signature_is_refused():
    signed = header(NEW).partition(",v0=")[0]
    for position, original in enumerate(signed):
        for character in map(chr, range(256)):
            forged = signed[:position] + character + signed[position + 1 :]
            assert character == original or not is_accepted(header=forged), forged


def test_random_bytes_are_refused():
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    signed = header(NEW)
    for _ in range(2000):
        body = bytearray(BODY)
        for _ in range(chance.randint(1, 5)):
            if not body or chance.random() < 0.3:
                body.insert(chance.randint(0, len(body)), chance.randrange(256))
            elif chance.random() < 0.3:
                del body[chance.randrange(len(body))]
            else:
                body[chance.randrange(len(body))] = chance.randrange(256)
        assert bytes(body) == BODY or not is_accepted(body=bytes(body), header=signed), f"seed {seed}: {body}"


def test_a_v0_alone_is_no_signature():
    assert not is_accepted(header=f"t={NOW},v0={digest(NEW)}")


def test_no_secret_at_all_accepts_nothing():
    assert not is_accepted(header=header(NEW), secrets=())


@pytest.mark.parametrize("seconds_off", [-TOLERANCE_SECONDS, 0, TOLERANCE_SECONDS])
def test_five_minutes_either_way_are_accepted(seconds_off):
    verify(body=BODY, header=header(NEW, at=NOW + seconds_off), secrets=[NEW], now=NOW + 0.9)


def test_a_replayed_old_signature_is_refused():
    signed = header(NEW)
    verify(body=BODY, header=signed, secrets=[NEW], now=NOW)
    with pytest.raises(TimestampOutsideTolerance) as refusal:
        verify(body=BODY, header=signed, secrets=[NEW], now=NOW + 301)
    assert (refusal.value.seconds_off, refusal.value.is_in_the_future) == (-301, False)


def test_a_signature_from_the_future_is_refused_and_says_so():
    with pytest.raises(TimestampOutsideTolerance) as refusal:
        verify(body=BODY, header=header(NEW, at=NOW + 301), secrets=[NEW], now=NOW)
    assert (refusal.value.seconds_off, refusal.value.is_in_the_future) == (301, True)


def test_an_old_forged_signature_is_reported_as_forged_not_late():
    with pytest.raises(SignatureInvalid):
        verify(body=BODY, header=header(STRANGE, at=NOW - 301), secrets=[NEW], now=NOW)


@pytest.mark.parametrize(
    ("moment", "signed_with", "known", "accepted"),
    [
        ("before the roll", [OLD], [OLD], True),
        ("we learn the new secret first", [OLD], [NEW, OLD], True),
        ("Stripe signs with both", [OLD, NEW], [NEW, OLD], True),
        ("both, in the other order", [NEW, OLD], [OLD, NEW], True),
        ("we have not learnt the new one yet", [NEW, OLD], [OLD], True),
        ("we forget the old one before Stripe does", [OLD, NEW], [NEW], True),
        ("the old secret has ended at Stripe", [NEW], [NEW, OLD], True),
        ("we forget the old secret", [NEW], [NEW], True),
        ("the old one is still used", [OLD], [NEW], False),
        ("a secret that was never ours", [STRANGE], [NEW, OLD], False),
    ],
)
def test_no_event_is_lost_while_a_secret_is_rolled_and_the_old_one_ends(moment, signed_with, known, accepted):
    assert is_accepted(header=header(*signed_with), secrets=known) == accepted, moment
