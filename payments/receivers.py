"""What a guest chose comes along when they sign in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from catalogue.currencies import currency_chosen
from payments import visitor_cart
from payments.cart import change_currency


@receiver(user_logged_in, dispatch_uid="payments.take_guest_cart_along")
def take_guest_cart_along(sender: type, request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:  # noqa: ARG001
    """Merge the guest's cart into the user's own."""
    if not hasattr(request, "session"):
        return
    left_behind = visitor_cart.take_guest_cart_along(request, user)
    if left_behind:
        titles = ", ".join(f"“{title}”" for title in left_behind)
        messages.warning(request, f"This could not be taken over into your cart: {titles}.")


@receiver(currency_chosen, dispatch_uid="payments.change_currency_of_cart")
def change_currency_of_cart(sender: type, request: HttpRequest, currency: str, **_: Any) -> None:  # noqa: ARG001
    """Keep the cart in the currency of the prices around it, where everything in it is sold in that."""
    cart = visitor_cart.cart_of(request)
    if cart and cart.currency and cart.currency != currency and not change_currency(cart=cart, currency=currency):
        messages.warning(
            request, f"Something in your cart is not sold in {currency}, so the cart stays in {cart.currency}."
        )
