"""Find a code by what was typed, and read its terms."""

from __future__ import annotations

import re
import unicodedata

from payments.discounts.rules import CurrencyTerms, Scope, Terms
from payments.models import DiscountCode

_FOLDED = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,39}\Z")
# What keyboards and word processors make of a hyphen.
_DASHES = {ord(dash): "-" for dash in "\u2010\u2011\u2012\u2013\u2014\u2212"}


def fold(text: str) -> str:
    """The one spelling of a code, in capitals and without spaces; empty if no code can be written so."""
    folded = "".join(unicodedata.normalize("NFKC", text[:200]).translate(_DASHES).split()).upper()
    return folded if _FOLDED.match(folded) else ""


def find_code(text: str) -> DiscountCode | None:
    """The code that was typed, in whatever case, with its terms."""
    folded = fold(text)
    codes = DiscountCode.objects.prefetch_related("amounts")
    return codes.filter(code=folded).first() if folded else None


def terms_of(code: DiscountCode) -> Terms:
    """What the code promises. Prefetch `amounts`."""
    return Terms(
        scope=Scope(
            domain=code.domain,
            reference=code.reference,
            teacher_id=code.only_teacher_id,
            bearer_id=code.bearer_id,
        ),
        percent_bps=code.percent_bps,
        by_currency={
            each.currency: CurrencyTerms(
                off=each.off if code.percent_bps is None else None, least_spend=each.least_spend
            )
            for each in code.amounts.all()
        },
        is_stackable=code.is_stackable,
        is_borne_by_platform=code.borne_by == DiscountCode.BorneBy.PLATFORM,
    )
