"""Give something as a gift, show it to its giver, and redeem it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import User
from catalogue.currencies import display_currency, pick_amount
from payments.cart import remove_line
from payments.contracts import Item, NotForSale, Quote
from payments.gifts.codes import code_of, find_gift
from payments.gifts.contracts import GiftWish
from payments.gifts.drawing import draw_gift_code
from payments.gifts.forms import GiftForm
from payments.gifts.mails import link_of
from payments.gifts.paper import render_gift
from payments.gifts.redeeming import CannotRedeem, GiftUnknown, redeem_gift, why_not_redeemable
from payments.guessing import RETRY_AFTER_SECONDS, may_try_codes, record_wrong_guess
from payments.models import CartLine, Gift
from payments.pricing import quote_items
from payments.registry import UnknownDomain, handler_for
from payments.visitor_cart import add_for_visitor, cart_of

_KIND = "gift_code"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def give(request: HttpRequest, domain: str, reference: str) -> HttpResponse:
    """Ask who it is for, and put it into the cart as a gift; with ?line= change a gift that is there."""
    replaced = _line_to_change(request, domain, reference)
    quote = _quote_for(request, domain, reference)
    initial = replaced.gift if replaced else None
    form = GiftForm(request.POST if request.method == "POST" else None, initial=initial)
    if isinstance(quote, Quote) and form.is_bound and form.is_valid():
        try:
            added = add_for_visitor(request, Item(domain=domain, reference=reference, gift=form.wish))
        except NotForSale as refusal:
            form.add_error(None, str(refusal))
        else:
            if replaced and replaced.pk != added.pk:
                remove_line(cart=replaced.cart, line_id=replaced.pk)
            messages.success(request, f"“{quote.title}” is in your cart as a gift for {form.wish.receiver}.")
            return redirect("payments:cart")
    is_priced = isinstance(quote, Quote)
    context = {
        "form": form,
        "quote": quote if is_priced else None,
        "refusal": "" if is_priced else str(quote),
        "price": pick_amount(list(quote.unit_prices.values()), preferred=display_currency(request))
        if isinstance(quote, Quote)
        else None,
    }
    return render(request, "payments/gift_give.html", context, status=422 if form.errors else 200)


def _quote_for(request: HttpRequest, domain: str, reference: str) -> Quote | NotForSale:
    """The price of the item as a gift. Raises Http404 for what is never given."""
    wanted = Item(domain=domain, reference=reference[:64], gift=GiftWish(receiver="–"))
    quote = quote_items([wanted], request.user.pk)[0]
    if isinstance(quote, NotForSale) and not _can_be_given(domain):
        raise Http404
    return quote


def _can_be_given(domain: str) -> bool:
    try:
        return handler_for(domain).can_be_given
    except UnknownDomain:
        return False


def _line_to_change(request: HttpRequest, domain: str, reference: str) -> CartLine | None:
    """The gift in the visitor's own cart that ?line= names."""
    number = request.GET.get("line", "")
    cart = cart_of(request)
    if cart is None or not number.isascii() or not number.isdigit() or len(number) > 18:  # noqa: PLR2004  # a bigint
        return None
    lines = cart.lines.filter(pk=int(number), domain=domain, reference=reference).exclude(gift_key="")
    return lines.select_related("cart").first()


@require_GET
@never_cache
@login_required
def show_gift(request: HttpRequest, reference: UUID) -> HttpResponse:
    """The gift as its giver sees it: to print, with its code, and whether it was redeemed."""
    gift = _own_gift(request, reference)
    code = code_of(gift) if gift.is_waiting and not gift.voided_at else ""
    context = {
        "gift": gift,
        "line": gift.line,
        "code": code,
        "link": link_of(code) if code else "",
        "drawing": draw_gift_code(link_of(code)) if code else "",
        "lost": gift.is_waiting and not gift.voided_at and not code,
    }
    return render(request, "payments/gift_show.html", context)


@require_GET
@never_cache
@login_required
def gift_pdf(request: HttpRequest, reference: UUID) -> HttpResponse:
    """The same as PDF."""
    response = HttpResponse(render_gift(_own_gift(request, reference)), content_type="application/pdf")
    response["Content-Disposition"] = 'attachment; filename="gift.pdf"'
    return response


def _own_gift(request: HttpRequest, reference: UUID) -> Gift:
    """A paid gift that the person gave."""
    gifts = Gift.objects.select_related("line__order__user", "line__teacher")
    return get_object_or_404(gifts, reference=reference, line__order__user_id=request.user.pk, given_at__isnull=False)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def redeem(request: HttpRequest) -> HttpResponse:
    """Enter a code, see what it is and from whom, and take it."""
    text = (request.POST if request.method == "POST" else request.GET).get("token", "")
    if not text:
        return render(request, "payments/gift_redeem.html", {})
    if not may_try_codes(request, _KIND):
        response = render(request, "429.html", status=429)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
    gift = find_gift(text)
    if gift is None:
        record_wrong_guess(request, _KIND)
        return render(request, "payments/gift_redeem.html", {"problem": str(GiftUnknown())}, status=404)
    if request.method == "POST" and isinstance(request.user, User):
        return _redeem(request, text, request.user)
    return _show_to_receiver(request, gift, text)


def _redeem(request: HttpRequest, text: str, user: User) -> HttpResponse:
    try:
        gift = redeem_gift(text=text, user=user)
    except CannotRedeem as refusal:
        messages.error(request, str(refusal))
        return redirect(f"{request.path}?token={text}") if find_gift(text) else redirect(request.path)
    messages.success(request, f"“{gift.line.title}” is yours. Enjoy it!")
    return redirect(handler_for(gift.line.domain).delivery_url(gift.line.as_sold()))


def _show_to_receiver(request: HttpRequest, gift: Gift, text: str) -> HttpResponse:
    is_mine = gift.receiver_id is not None and gift.receiver_id == request.user.pk and not gift.is_over
    context = {
        "gift": gift,
        "line": gift.line,
        "giver": gift.line.order.user.display_name,
        "token": code_of(gift) or text,
        "refusal": "" if is_mine else why_not_redeemable(gift),
        "delivery_url": handler_for(gift.line.domain).delivery_url(gift.line.as_sold()) if is_mine else "",
    }
    return render(request, "payments/gift_redeem.html", context)
