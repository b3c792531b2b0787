"""What a guest chose comes along when they sign in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from payments import visitor_cart


@receiver(user_logged_in, dispatch_uid="payments.take_guest_cart_along")
def take_guest_cart_along(sender: type, request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:  # noqa: ARG001
    """Merge the guest's cart into the user's own."""
    if not hasattr(request, "session"):
        return
    left_behind = visitor_cart.take_guest_cart_along(request, user)
    if left_behind:
        messages.warning(request, f"{left_behind} of the things you chose could not be taken over into your cart.")
