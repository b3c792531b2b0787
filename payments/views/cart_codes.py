"""Enter a discount code in the cart, and remove it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from payments.discounts.cart_codes import CodeRefused, CodeUnknown, enter_code, remove_code
from payments.guessing import RETRY_AFTER_SECONDS, may_try_codes, record_wrong_guess
from payments.models import Cart
from payments.visitor_cart import cart_of


@require_POST
def enter(request: HttpRequest) -> HttpResponse:
    """Put a code into the cart, or say why not."""
    cart = cart_of(request)
    if cart is None:
        return redirect("payments:cart")
    if not may_try_codes(request):
        response = render(request, "429.html", status=429)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
    try:
        applied = enter_code(cart=cart, text=request.POST.get("code", ""))
    except CodeUnknown as unknown:
        record_wrong_guess(request)
        messages.error(request, str(unknown))
    except CodeRefused as refusal:
        messages.error(request, str(refusal))
    except Cart.DoesNotExist:  # merged by a sign-in in another tab
        pass
    else:
        messages.success(request, f"{applied.code} takes {applied.amount} off.")
    return redirect("payments:cart")


@require_POST
def remove(request: HttpRequest, code_id: int) -> HttpResponse:
    """Remove a code from the cart."""
    cart = cart_of(request)
    if cart is None:
        raise Http404
    try:
        is_removed = remove_code(cart=cart, code_id=code_id)
    except Cart.DoesNotExist:  # merged by a sign-in in another tab
        is_removed = False
    if not is_removed:
        raise Http404
    return redirect("payments:cart")
