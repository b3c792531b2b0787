"""The cart's pages. Forms post items and quantities, never prices."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.strict_json import NotPlainJson, read_json
from payments import cart as carts
from payments.appointments import Overlap, overlaps_of
from payments.contracts import Item, NotForSale
from payments.models import Cart, Order
from payments.pricing import PricedCart, price_cart
from payments.registry import registered_domains
from payments.saved_cards.choosing import cards_to_pay_with
from payments.superseding import payable_payment_of
from payments.visitor_cart import add_for_visitor, cart_of


class AddForm(forms.Form):
    """The fields that an "add to cart" button posts. `details` is a JSON object for the domain, usually absent."""

    domain = forms.CharField(max_length=30)
    reference = forms.CharField(max_length=64)
    quantity = forms.IntegerField(min_value=1, max_value=100, required=False)
    details = forms.CharField(max_length=10_000, required=False)

    def clean_domain(self) -> str:
        domain = str(self.cleaned_data["domain"])
        if domain not in registered_domains():
            raise forms.ValidationError("Nothing of this kind is sold here.")
        return domain

    def clean_details(self) -> dict[str, object]:
        text = self.cleaned_data["details"]
        if not text:
            return {}
        try:
            details = read_json(text)
        except NotPlainJson as error:
            raise forms.ValidationError("The details cannot be read.") from error
        if not isinstance(details, dict):
            raise forms.ValidationError("The details cannot be read.")
        return details

    def to_item(self) -> Item:
        data = self.cleaned_data
        return Item(
            domain=data["domain"],
            reference=data["reference"],
            quantity=data["quantity"] or 1,
            details=data["details"],
        )


class QuantityForm(forms.Form):
    """The quantity of a cart line; 0 removes it."""

    quantity = forms.IntegerField(min_value=0, max_value=100)


@require_GET
@never_cache
def show_cart(request: HttpRequest) -> HttpResponse:
    """The cart at current prices, with what has changed since it was last shown."""
    cart = cart_of(request)
    priced = price_cart(cart) if cart else None
    context = {
        "priced": priced,
        "came_back_unpaid": request.GET.get("from") == "payment",
        "closing": _closing_order(cart),
        "overlaps": _overlaps_in(priced) if priced else [],
        "saved_cards": cards_to_pay_with(request.user.pk),
    }
    response = render(request, "payments/cart_show.html", context)
    if priced and priced.has_changed_lines:
        # The change is shown once: the digest in this page is of the new prices already.
        carts.record_seen_prices(priced)
    return response


def _overlaps_in(priced: PricedCart) -> list[Overlap]:
    """What in the cart is at the same time as something else that its owner has bought, teaches, or has in the cart."""
    quotes = [line.quote for line in priced.lines if line.quote]
    return overlaps_of(priced.cart.user_id, [one for quote in quotes for one in quote.appointments])


def _closing_order(cart: Cart | None) -> Order | None:
    """The order of an earlier state of the cart, as long as its payment page may still be open."""
    payment = payable_payment_of(cart) if cart and cart.user_id else None
    return payment.order if payment and payment.close_requested_at else None


@require_GET
def continue_to_cart(request: HttpRequest) -> HttpResponse:
    """Lead a person who has verified their address back to what waits in their cart, or else to the front page."""
    cart = cart_of(request)
    return redirect("payments:cart" if cart and cart.lines.exists() else "/")


@require_POST
def add_line(request: HttpRequest) -> HttpResponse:
    """Put an item into the cart."""
    form = AddForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("This cannot be put into a cart.")
    try:
        add_for_visitor(request, form.to_item())
    except NotForSale as refusal:
        messages.error(request, str(refusal))
        return redirect(refusal.change_url or "payments:cart")
    messages.success(request, "It is in your cart.")
    return redirect("payments:cart")


@require_POST
def change_line(request: HttpRequest, line_id: int) -> HttpResponse:
    """Change the quantity of a line, or remove the line."""
    cart = cart_of(request)
    form = QuantityForm(request.POST)
    if cart is None or line_id > 2**63 - 1:
        raise Http404
    if not form.is_valid():
        messages.error(request, "Please give a number between 0 and 100.")
        return redirect("payments:cart")
    quantity = form.cleaned_data["quantity"]
    try:
        is_found = (
            carts.change_quantity(cart=cart, line_id=line_id, quantity=quantity)
            if quantity
            else carts.remove_line(cart=cart, line_id=line_id)
        )
    except NotForSale as question:
        messages.warning(request, str(question))
        return redirect(question.change_url)
    except Cart.DoesNotExist:  # merged by a sign-in in another tab
        is_found = False
    if not is_found:
        raise Http404
    return redirect("payments:cart")
