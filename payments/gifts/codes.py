"""The codes by which gifts are redeemed: derived when they are shown, found by their digest, and never stored."""

from __future__ import annotations

import hashlib
import unicodedata

from django.conf import settings
from django.utils.crypto import salted_hmac

from payments.models import Gift

# Crockford's alphabet. Sixteen letters are 80 bits, which is too many to guess.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 16
_LOOK_ALIKES = str.maketrans("OIL", "011")


def code_of(gift: Gift) -> str:
    """The code that redeems the gift, in groups; empty if it has none, or if the site's key was lost since.

    After a change of the site's key, codes that are on paper still work; they can be shown again as long as the old key
    is among SECRET_KEY_FALLBACKS.
    """
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        letters = _derive(gift, key)
        if digest_of(letters) == gift.code_digest:
            return "-".join(letters[start : start + 4] for start in range(0, _LENGTH, 4))
    return ""


def digest_for(gift: Gift) -> str:
    """The digest of the code with the gift's current number."""
    return digest_of(_derive(gift, settings.SECRET_KEY))


def digest_of(letters: str) -> str:
    """The digest by which a folded code is found. Plain, since 80 random bits cannot be searched."""
    return hashlib.sha256(letters.encode()).hexdigest()


def fold(text: str) -> str:
    """The letters of a code as it was typed; empty if it cannot be one."""
    plain = unicodedata.normalize("NFKC", text[:100]).upper().translate(_LOOK_ALIKES)
    letters = "".join(sign for sign in plain if sign.isalnum())
    return letters if len(letters) == _LENGTH and set(letters) <= set(_LETTERS) else ""


def find_gift(text: str) -> Gift | None:
    """The paid gift whose code was typed, with its line and order; None if there is none."""
    letters = fold(text)
    gifts = Gift.objects.select_related("line__order__user", "line__teacher")
    return gifts.filter(code_digest=digest_of(letters)).first() if letters else None


def _derive(gift: Gift, key: str | bytes) -> str:
    message = f"{gift.reference.hex}:{gift.code_number}"
    digest = salted_hmac("payments.gifts.codes", message, secret=key, algorithm="sha256").digest()
    number = int.from_bytes(digest[:10])
    return "".join(_LETTERS[number >> (5 * place) & 31] for place in range(_LENGTH))
