"""Make codes: one by a teacher or by staff, or many at once like one that exists."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import Teacher
from money import Money
from payments.discounts.codes import fold
from payments.models import DiscountAmount, DiscountCode

# Crockford's alphabet: without letters that can be mistaken for digits. Twelve characters are 60 random bits.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_LENGTH = 12
BATCH_AT_MOST = 5000
CODES_OF_A_TEACHER_AT_MOST = 500


class CodeNotMade(Exception):
    """The code cannot be made. The message is for the person who makes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeachersCode:
    """What a teacher chooses for a code of their own: a percentage, or an amount in one currency."""

    code: str
    percent_bps: int | None = None
    off: Money | None = None
    least_spend: Money | None = None
    domain: str = ""
    reference: str = ""
    ends_at: datetime | None = None
    total_limit: int | None = None
    student_limit: int | None = None
    is_stackable: bool = False


def make_code_of(teacher: Teacher, new: TeachersCode) -> DiscountCode:
    """Make a code that the teacher bears, for what they sell. Raises CodeNotMade."""
    folded = fold(new.code)
    if not folded:
        raise CodeNotMade("Use 3 to 40 letters A to Z, digits and hyphens.")
    if (new.percent_bps is None) == (new.off is None):
        raise CodeNotMade("Give a percentage or an amount, not both.")
    if DiscountCode.objects.filter(bearer=teacher).count() >= CODES_OF_A_TEACHER_AT_MOST:
        raise CodeNotMade(f"You have {CODES_OF_A_TEACHER_AT_MOST} codes, which is the most one teacher can have.")
    try:
        with transaction.atomic():
            code = DiscountCode.objects.create(
                code=folded,
                percent_bps=new.percent_bps,
                domain=new.domain,
                reference=new.reference,
                borne_by=DiscountCode.BorneBy.TEACHER,
                bearer=teacher,
                ends_at=new.ends_at,
                total_limit=new.total_limit,
                student_limit=new.student_limit,
                is_stackable=new.is_stackable,
                created_by_id=teacher.user_id,
            )
    except IntegrityError as error:
        raise CodeNotMade("This code is taken. Please choose another.") from error
    terms = new.off or new.least_spend
    if terms:
        DiscountAmount.objects.create(
            code=code,
            currency=terms.currency,
            off_minor=new.off.minor if new.off else None,
            least_spend_minor=new.least_spend.minor if new.least_spend else 0,
        )
    return code


def end_code_of(teacher: Teacher, *, code_id: int) -> DiscountCode | None:
    """End a teacher's own code at once; None if they have no such code. Orders that hold a use keep it."""
    code = DiscountCode.objects.filter(bearer=teacher, pk=code_id).first()
    if code and code.is_active:
        code.is_active = False
        code.save(update_fields=["is_active"])
    return code


@transaction.atomic
def make_batch(like: DiscountCode, *, count: int, prefix: str, batch: str, by_id: int) -> list[DiscountCode]:
    """Make many codes with the terms of one, each for a single use. Raises CodeNotMade."""
    if not 1 <= count <= BATCH_AT_MOST:
        raise CodeNotMade(f"Make between 1 and {BATCH_AT_MOST} codes at once.")
    start = fold(f"{prefix}-XXX").removesuffix("XXX") if prefix else ""
    if prefix and (not start or len(start) + _RANDOM_LENGTH > 40):  # noqa: PLR2004  # as the column is
        raise CodeNotMade("Use up to 20 letters A to Z, digits and hyphens before the random part.")
    copied = (
        "percent_bps", "domain", "reference", "only_teacher_id", "borne_by", "bearer_id", "starts_at", "ends_at",
        "is_stackable",
    )  # fmt: skip
    terms = {name: getattr(like, name) for name in copied}
    codes = DiscountCode.objects.bulk_create(
        DiscountCode(code=f"{start}{_random()}", total_limit=1, batch=batch, created_by_id=by_id, **terms)
        for _ in range(count)
    )
    DiscountAmount.objects.bulk_create(
        DiscountAmount(
            code=code, currency=each.currency, off_minor=each.off_minor, least_spend_minor=each.least_spend_minor
        )
        for each in like.amounts.all()
        for code in codes
    )
    return codes


def _random() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM_LENGTH))
