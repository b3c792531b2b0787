"""Receivers of signals: merge a guest's cart at sign-in, and change the cart's currency with the page's."""

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


@receiver(user_logged_in, dispatch_uid="payments.merge_cart_at_sign_in")
def merge_cart_at_sign_in(sender: type, request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:  # noqa: ARG001
    """Merge the guest's cart into the user's own."""
    if not hasattr(request, "session"):
        return
    left_behind = visitor_cart.merge_session_cart(request, user)
    if left_behind:
        titles = ", ".join(f"“{title}”" for title in left_behind)
        messages.warning(request, f"This could not be moved into your cart: {titles}.")


@receiver(currency_chosen, dispatch_uid="payments.change_currency_of_cart")
def change_currency_of_cart(sender: type, request: HttpRequest, currency: str, **_: Any) -> None:  # noqa: ARG001
    """Change the cart to the currency the visitor chose, if everything in it is sold in that currency."""
    cart = visitor_cart.cart_of(request)
    if cart and cart.currency and cart.currency != currency and not change_currency(cart=cart, currency=currency):
        messages.warning(
            request, f"Something in your cart is not sold in {currency}, so the cart stays in {cart.currency}."
        )
