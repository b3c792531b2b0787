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
from payments.checkout import CartChanged, CartEmpty, SavedCard, TooManyPayments, TotalRefused, Way, start_checkout
from payments.models import Order, Payment
from payments.orders import LineSoldOut
from payments.outcomes import request_look
from payments.return_addresses import own_return_url
from payments.saved_cards.choosing import MethodUnknown, MethodUnusable, card_to_charge
from payments.stripe_api import AMOUNT_CODES, StripeRefused, StripeUnreachable
from payments.switches import CheckoutClosed
from payments.visitor_cart import cart_of

log = structlog.get_logger()


@require_POST
def begin_checkout(request: HttpRequest) -> HttpResponse:
    """The pay button: redirect to Stripe's page, or back to the cart with what the student must check first.

    With a saved card as `method` it is charged at once, and this leads to the order, or to the bank's page.
    """
    user, cart_page = request.user, reverse("payments:cart")
    if not isinstance(user, User):
        # After the sign-in to the cart, not here: the prices may differ for a known person, and this is not a page.
        return redirect(f"{reverse('account_login')}?next={cart_page}")
    agreed = request.POST.get("agreed", "")

    def start() -> Payment:
        return start_checkout(user=user, cart=cart_of(request), agreed_digest=agreed, way=_way_of(request))

    return lead_to_payment(request, start, back=cart_page, agreed=agreed)


def _way_of(request: HttpRequest) -> Way | None:
    """How the student wants to pay; None for Stripe's page. Raises MethodUnknown or MethodUnusable."""
    method_id = request.POST.get("method", "")
    if not method_id:
        return None
    return SavedCard(method=card_to_charge(request.user.pk, method_id), return_url=own_return_url())


def lead_to_payment(  # noqa: PLR0911  # one for each way it can end
    request: HttpRequest, start: Callable[[], Payment], *, back: str, agreed: str = ""
) -> HttpResponse:
    """Redirect to the page of the payment that `start` begins, or to `back` with what the student must check first.

    `agreed` is the digest of what is paid, if that may be charged to a saved card.
    """
    try:
        payment = start()
    except MethodUnknown as unknown:
        raise Http404 from unknown
    except (CartEmpty, CartChanged, TotalRefused, LineSoldOut, MethodUnusable) as problem:
        messages.warning(request, str(problem))
        return redirect(back)
    except sessions.CardDeclined as declined:
        messages.error(request, f"{declined} Nothing was charged, and your cart is as it was.")
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
    except (StripeRefused, StripeUnreachable) as problem:
        return _explain(request, problem, back=back, agreed=agreed)
    # What cost nothing has been delivered, and a saved card charged, without a page at Stripe.
    is_over = payment.ended_at is not None or not payment.session_url
    return redirect(payment.order if is_over else payment.session_url)


def _explain(
    request: HttpRequest, problem: StripeRefused | StripeUnreachable, *, back: str, agreed: str
) -> HttpResponse:
    """Show the student a refused amount, which they can change. Any other problem is a fault of the site, or of Stripe.

    A saved card may have been charged although no answer came: its order's page shows the outcome once it is known.
    """
    if isinstance(problem, StripeRefused) and problem.code in AMOUNT_CODES:
        messages.error(request, f"This cannot be paid by card: {problem}")
        return redirect(back)
    log.warning("checkout_not_started", problem=repr(problem))
    order = _order_being_charged(request.user.pk, agreed)
    if order is not None:
        messages.info(request, "Our payment provider has not answered yet. We keep asking; please do not pay again.")
        return redirect(order)
    response = render(request, "payments/checkout_unavailable.html", status=503)
    if isinstance(problem, StripeUnreachable):
        response["Retry-After"] = str(problem.retry_after)
    return response


def _order_being_charged(user_id: int | None, agreed: str) -> Order | None:
    """The order of what was agreed to for which a saved card is charged now, or was charged by another click."""
    payments = Payment.objects.select_related("order").filter(order__user_id=user_id or 0, order__cart_digest=agreed)
    last = payments.order_by("-pk").first() if agreed else None
    if last is None or not last.charges_card or last.order.state == Order.State.CANCELLED:
        return None
    return None if last.close_requested_at and last.ended_at is None else last.order


@require_GET
@never_cache
@login_required
def return_from_stripe(request: HttpRequest) -> HttpResponse:
    """Where Stripe's page and banks send the student afterwards. Leads to their order; being here proves no payment."""
    about = request.GET.get("session_id") or request.GET.get("payment_intent", "")
    payment = sessions.payment_of_session(about, user_id=request.user.pk)
    if payment is None:
        raise Http404
    request_look(payment, has_returned=True)
    return redirect(payment.order)
