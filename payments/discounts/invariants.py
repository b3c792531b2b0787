"""The invariants of codes and their uses."""

from __future__ import annotations

from django.db.models import Count, F, Q, Sum

from jobs.invariants import Invariant
from payments.discounts.standing import COUNTED
from payments.models import DiscountCode, Order, Redemption


class CodesCountTheirUses:
    name = "payments.codes_count_their_uses"
    promise = "Each code counts the uses that are held or confirmed. The ids are of codes."

    def breaking(self) -> list[int]:
        counted = Count("redemptions", filter=Q(redemptions__state__in=COUNTED))
        codes = DiscountCode.objects.annotate(counted=counted).exclude(used=F("counted"))
        return list(codes.order_by("pk").values_list("pk", flat=True))


class UsesFollowTheirOrders:
    name = "payments.uses_follow_their_orders"
    promise = (
        "A use is held as long as its order may be paid, confirmed with the payment, and released if it was cancelled."
    )

    def breaking(self) -> list[int]:
        use, order = Redemption.State, Order.State
        is_right = (
            Q(state=use.HELD, order__state__in=[order.AWAITING_PAYMENT, order.PAYMENT_PENDING])
            | Q(state__in=[use.CONFIRMED, use.BEYOND_LIMIT], order__state=order.COMPLETED)
            | Q(state=use.RELEASED, order__state=order.CANCELLED)
        )
        return list(Redemption.objects.exclude(is_right).order_by("pk").values_list("pk", flat=True))


class UsesAddUpToTheDiscount:
    name = "payments.uses_add_up_to_the_discount"
    promise = "What the codes of an order took off is its discount. The ids are of orders."

    def breaking(self) -> list[int]:
        orders = Order.objects.annotate(taken=Sum("redemptions__discount_minor"))
        wrong = orders.filter(taken__isnull=False).exclude(taken=F("discount_minor"))
        return list(wrong.order_by("pk").values_list("pk", flat=True))


INVARIANTS: tuple[Invariant, ...] = (CodesCountTheirUses(), UsesFollowTheirOrders(), UsesAddUpToTheDiscount())
