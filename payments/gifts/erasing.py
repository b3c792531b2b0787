"""Forget what a person said about others in their gifts."""

from __future__ import annotations

from accounts.models import User
from payments.models import CartLine, Gift


def forget_gifts_of(user: User) -> None:
    """Erase the names, addresses and messages that the user typed, in gifts and in their cart.

    Part of erasing a person's data; call it in that transaction. The code of a waiting gift still works: what was given
    is the receiver's. Who redeemed a gift stays as the id of an account, as in orders.
    """
    Gift.objects.filter(line__order__user=user).update(receiver_name="–", receiver_email="", message="")
    CartLine.objects.filter(cart__user=user).exclude(gift_key="").delete()
