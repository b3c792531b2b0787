"""Whether codes may be used now, by their dates and limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.utils import formats, timezone

from payments.models import DiscountCode, Order, Redemption

COUNTED = (Redemption.State.HELD, Redemption.State.CONFIRMED)


def refusals_of(codes: Sequence[DiscountCode], *, buyer_id: int | None, cart_id: int | None) -> dict[int, str]:
    """Why codes may not be used now, by their primary keys. One query if there are codes.

    What the cart's own unpaid order holds counts as free: a student who returns from Stripe's page meets no limit of
    their own making. A guest's own uses are counted once they have signed in.
    """
    if not codes:
        return {}
    now = timezone.now()
    by_student: Counter[int] = Counter()
    by_cart: Counter[int] = Counter()
    uses = Redemption.objects.filter(code__in=codes, state__in=COUNTED, user_id=buyer_id or 0)
    for code_id, state, cart, order_state in uses.values_list("code", "state", "order__cart", "order__state"):
        is_own_hold = state == Redemption.State.HELD and order_state == Order.State.AWAITING_PAYMENT
        (by_cart if is_own_hold and cart == cart_id else by_student)[code_id] += 1
    reasons = {code.pk: _refusal(code, now, by_student[code.pk], code.used - by_cart[code.pk]) for code in codes}
    return {pk: reason for pk, reason in reasons.items() if reason}


def _refusal(code: DiscountCode, now: datetime, by_student: int, in_all: int) -> str:
    if code.has_ended(now):
        return "This code is no longer valid."
    if code.starts_at and code.starts_at > now:
        return f"This code is valid from {formats.date_format(timezone.localtime(code.starts_at), 'j F Y, H:i')}."
    if code.student_limit is not None and by_student >= code.student_limit:
        times = "" if code.student_limit == 1 else f" {code.student_limit} times, which is as often as one person may"
        return f"You have already used this code{times}."
    if code.total_limit is not None and in_all >= code.total_limit:
        return "This code has been used up."
    return ""
