"""The pages that send a student to Stripe's payment page and receive them afterwards."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from payments import sessions
from payments.checkout import CartChanged, CartEmpty, TooManyPayments, TotalRefused, start_checkout
from payments.models import Payment
from payments.orders import LineSoldOut
from payments.outcomes import request_look
from payments.stripe_api import StripeRefused, StripeUnreachable
from payments.switches import CheckoutClosed
from payments.visitor_cart import cart_of

log = structlog.get_logger()

# Stripe compares with the minimum after converting to the account's settlement currency, at a rate we do not know.
_AMOUNT_REFUSED = frozenset(["amount_too_small", "amount_too_large"])


@require_POST
def begin_checkout(request: HttpRequest) -> HttpResponse:
    """The pay button: redirect to Stripe's page, or back to the cart with what the student must check first."""
    user, cart_page = request.user, reverse("payments:cart")
    if not isinstance(user, User):
        # After the sign-in to the cart, not here: the prices may differ for a known person, and this is not a page.
        return redirect(f"{reverse('account_login')}?next={cart_page}")
    agreed = request.POST.get("agreed", "")
    return lead_to_payment(
        request, lambda: start_checkout(user=user, cart=cart_of(request), agreed_digest=agreed), back=cart_page
    )


def lead_to_payment(  # noqa: PLR0911  # one for each way it can end
    request: HttpRequest, start: Callable[[], Payment], *, back: str
) -> HttpResponse:
    """Redirect to the page of the payment that `start` begins, or to `back` with what the student must check first."""
    try:
        payment = start()
    except (CartEmpty, CartChanged, TotalRefused, LineSoldOut) as problem:
        messages.warning(request, str(problem))
        return redirect(back)
    except sessions.AlreadyPaid as paid:
        messages.info(request, "This order is paid already.")
        return redirect(paid.order)
    except TooManyPayments as many:
        response = render(request, "429.html", {"message": str(many)}, status=429)
        response["Retry-After"] = str(many.retry_after)
        return response
    except CheckoutClosed:
        return render(request, "payments/checkout_closed.html", status=503)
    except StripeRefused as refusal:
        return _explain_refusal(request, refusal, back=back)
    except StripeUnreachable as problem:
        log.warning("checkout_not_started", problem=repr(problem))
        response = render(request, "payments/checkout_unavailable.html", status=503)
        response["Retry-After"] = str(problem.retry_after)
        return response
    # What cost nothing has been delivered, without a page at Stripe.
    return redirect(payment.order if payment.has_succeeded else payment.session_url)


def _explain_refusal(request: HttpRequest, refusal: StripeRefused, *, back: str) -> HttpResponse:
    """Show the student a refused amount, which they can change. Any other refusal is a fault of the site."""
    if refusal.code in _AMOUNT_REFUSED:
        messages.error(request, f"This cannot be paid by card: {refusal}")
        return redirect(back)
    log.warning("checkout_not_started", problem=repr(refusal))
    return render(request, "payments/checkout_unavailable.html", status=503)


@require_GET
@never_cache
@login_required
def return_from_stripe(request: HttpRequest) -> HttpResponse:
    """The page to which Stripe sends the student afterwards. Redirects to their order; being here proves no payment."""
    payment = sessions.payment_of_session(request.GET.get("session_id", ""), user_id=request.user.pk)
    if payment is None:
        raise Http404
    request_look(payment, has_returned=True)
    return redirect(payment.order)
