"""Take the uses of codes with an order, and confirm or release them with it.

Codes are locked after cart, order and payment, by their primary keys, and before the places of the lines.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from payments.discounts.effects import AppliedCode
from payments.discounts.standing import refusals_of
from payments.models import DiscountCode, Order, Redemption


class CodeNotUsable(Exception):
    """A code cannot be used any more, for example because others took its last uses. Shown to the student."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")


def hold_redemptions(order: Order, applied: Sequence[AppliedCode]) -> None:
    """Take a use of each code that takes something off. Raises CodeNotUsable; the caller's transaction must roll back.

    The lock of the code's row makes one of two students who want the last use wait, and see that it is gone.
    """
    wanted = {each.code.pk: each for each in applied if each.amount.minor}
    if not wanted:
        return
    locked = list(DiscountCode.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk"))
    refusals = refusals_of(locked, buyer_id=order.user_id, cart_id=order.cart_id)
    for code in locked:
        if code.pk in refusals:
            raise CodeNotUsable(code.code, refusals[code.pk])
    Redemption.objects.bulk_create(
        Redemption(
            code=code,
            order=order,
            user_id=order.user_id,
            currency=order.currency,
            discount_minor=wanted[code.pk].amount.minor,
        )
        for code in locked
    )


def confirm_redemptions(order: Order) -> None:
    """The order is paid: its uses are final. Call with the order locked.

    An order that was paid after its uses were released takes them again. If others have used up the limit since, the use
    is recorded beyond it: the student has paid the price that they were promised.
    """
    uses = Redemption.objects.filter(order=order)
    uses.filter(state=Redemption.State.HELD).update(state=Redemption.State.CONFIRMED, decided_at=Now())
    for late in uses.filter(state=Redemption.State.RELEASED).order_by("code"):
        try:
            with transaction.atomic():
                uses.filter(pk=late.pk).update(state=Redemption.State.CONFIRMED, decided_at=Now())
        except IntegrityError:
            uses.filter(pk=late.pk).update(state=Redemption.State.BEYOND_LIMIT, decided_at=Now())


def release_redemptions(order: Order) -> None:
    """The order will not be paid: others may use its codes. Call with the order locked; a repeat changes nothing."""
    held = Redemption.objects.filter(order=order, state=Redemption.State.HELD).order_by("code")
    for use in held:
        Redemption.objects.filter(pk=use.pk).update(state=Redemption.State.RELEASED, decided_at=Now())
