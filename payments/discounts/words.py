"""What pages say about codes and what became of them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Sum

from money import Money
from payments.models import DiscountCode, Redemption
from payments.registry import handler_for, registered_domains


def terms_in_words(code: DiscountCode) -> str:
    """What it takes off, such as "15 % off" or "£5.00 or €6.00 off". Prefetch `amounts`."""
    offs = [str(each.off) for each in code.amounts.all() if each.off]
    return f"{code.percent or ' or '.join(offs) or 'Nothing'} off"


def condition_in_words(code: DiscountCode) -> str:
    """What must be spent, such as "from £50.00"; empty if nothing. Prefetch `amounts`."""
    leasts = [str(each.least_spend) for each in code.amounts.all() if each.least_spend_minor]
    return f"from {' or '.join(leasts)}" if leasts else ""


def scope_in_words(code: DiscountCode, title: str = "") -> str:
    """What it is for. `title` is that of its item."""
    if code.reference:
        return title or f"{label_of(code.domain)} {code.reference}"
    return f"Each {label_of(code.domain).lower()}" if code.domain else "Everything"


def label_of(domain: str) -> str:
    """What one item of a domain is called."""
    return handler_for(domain).label if domain in registered_domains() else domain


def given_by(codes: Iterable[DiscountCode]) -> dict[int, tuple[int, list[Money]]]:
    """Confirmed uses of each code, and what they took off in each currency. One query."""
    confirmed = Redemption.objects.filter(
        code__in=codes, state__in=[Redemption.State.CONFIRMED, Redemption.State.BEYOND_LIMIT]
    )
    given: dict[int, tuple[int, list[Money]]] = {}
    rows = confirmed.order_by("code", "currency").values("code", "currency")
    for row in rows.annotate(uses=Count("pk"), minor=Sum("discount_minor")):
        uses, amounts = given.get(row["code"], (0, []))
        given[row["code"]] = uses + row["uses"], [*amounts, Money(int(row["minor"]), row["currency"])]
    return given
