"""What is available to a teacher but not paid out, because a refund may still take it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from django.db.models import F, OuterRef, Subquery, Sum

from money import Money
from payments.models import Earning, Refund


def kept_back_amounts(teacher_id: int) -> Mapping[str, Money]:
    """Per currency, the most that refunds made at Stripe can still take of what is available to a teacher.

    Until staff allocate such a refund, it may fall on any line of its payment: at most the refund, and at most what is
    left of the teacher's share of these lines. Shares that are pending are not paid out anyway.
    """
    left_of_line = F("line__teacher_share_minor") - F("line__refunded_share_minor") - F("line__disputed_share_minor")
    shares = Earning.objects.filter(
        teacher_id=teacher_id, matured_at__isnull=False, line__order=OuterRef("payment__order")
    )
    share_left = shares.order_by().values("line__order").annotate(total=Sum(left_of_line)).values("total")
    waiting = (
        Refund.objects.to_allocate()
        .annotate(share_left=Subquery(share_left))
        .filter(share_left__gt=0)
        .order_by()
        .values("payment", "currency", "share_left")
        .annotate(waiting_minor=Sum(F("amount_minor") - F("allocated_minor")))
    )
    total: Counter[str] = Counter()
    for row in waiting:
        total[row["currency"]] += min(int(row["waiting_minor"]), int(row["share_left"]))
    return {currency: Money(minor, currency) for currency, minor in total.items()}
