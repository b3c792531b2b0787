"""The public page of a workshop, and adding places to the cart."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Teacher
from accounts.moments import write_moment
from accounts.time_zones import zone_for
from catalogue.currencies import display_currency, pick_currency
from money import Money
from payments.contracts import Item, NotForSale
from payments.visitor_cart import add_for_visitor, cart_of, quantity_in_cart
from workshops import DOMAIN
from workshops.availability import places_left_for, refusal, registration_closes_at, unit_prices
from workshops.forms import ParticipantForms, PastedPeopleForm, PlacesForm
from workshops.handler import MOST_PLACES_PER_LINE
from workshops.models import Registration, Workshop
from workshops.participants import InvalidParticipants, Participant, read_participants
from workshops.refund_policy import policy_to_freeze
from workshops.schedule import session_times

FEW_PLACES = 5


@dataclass(frozen=True, slots=True)
class ShownPrice:
    """The price as the page shows it; `regular` and `until` are set while an early-bird price applies."""

    now: Money
    regular: Money | None = None
    until: str = ""


@require_safe
def show_workshop(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one workshop with its times, place, price and number of places left."""
    workshop = _visible_workshop(request, slug)
    now, reader = timezone.now(), timezone.get_current_timezone()
    zone = zone_for(workshop, reader=reader)
    in_cart = quantity_in_cart(request, domain=DOMAIN, reference=str(workshop.pk))
    left = _places_left(request, workshop, now)
    refused = refusal(workshop, now, reader)
    closes_at = registration_closes_at(workshop)
    context = {
        "workshop": workshop,
        "sessions": session_times(workshop, reader),
        "price": _shown_price(workshop, now, zone, display_currency(request)),
        "places_left": left,
        "are_few_left": 0 < left <= FEW_PLACES,
        "refusal": str(refused) if refused else "",
        "closes": write_moment(closes_at, zone) if closes_at else "",
        "policy": policy_to_freeze(workshop, reader).get("text", ""),
        "form": None if refused or not left else _places_form(left, in_cart),
        "places_in_cart": in_cart,
        "is_own": _is_own(request, workshop),
        "places_held": _places_of(request, workshop),
        "item_teacher": workshop.teacher,
        "item_subject": workshop.subject,
    }
    return render(request, "workshops/workshop_detail.html", context)


def _places_form(left: int, in_cart: int) -> PlacesForm:
    """The choice of places, at first what is in the cart already."""
    at_most = min(left, MOST_PLACES_PER_LINE)
    return PlacesForm(places_at_most=at_most, initial={"quantity": min(in_cart, at_most)} if in_cart else None)


@require_POST
def add_workshop_to_cart(request: HttpRequest, slug: str) -> HttpResponse:
    """Add places to the cart, or go to the page for naming participants if the student chose that."""
    workshop = _visible_workshop(request, slug)
    form = PlacesForm(request.POST, places_at_most=MOST_PLACES_PER_LINE)
    if not form.is_valid():
        messages.error(request, f"Choose between 1 and {MOST_PLACES_PER_LINE} places.")
        return redirect(workshop)
    quantity = form.cleaned_data["quantity"]
    if "name_participants" in request.POST:
        return redirect(f"{reverse('workshops:register', args=[slug])}?quantity={quantity}")
    return _add(request, workshop, quantity, {})


@require_http_methods(["GET", "HEAD", "POST"])
def name_participants(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for name and email address of each participant. Empty places are the buyer's own or their guests'."""
    workshop = _visible_workshop(request, slug)
    asked = request.POST if request.method == "POST" else request.GET
    form = PlacesForm(asked if "quantity" in asked else {"quantity": "1"}, places_at_most=MOST_PLACES_PER_LINE)
    if not form.is_valid():
        messages.error(request, f"Choose between 1 and {MOST_PLACES_PER_LINE} places.")
        return redirect(workshop)
    quantity = form.cleaned_data["quantity"]
    known = _participants_in_cart(request, workshop)
    posted = request.POST if request.method == "POST" else None
    people, pasted = ParticipantForms(quantity, posted, known=known), PastedPeopleForm(posted)
    # Both are validated, so that all errors are shown at once.
    if all([people.is_valid(), pasted.is_valid()]):
        everyone = pasted.fill(people.participants, at_most=MOST_PLACES_PER_LINE)
        if everyone and "fill" not in request.POST:
            return _add(request, workshop, len(everyone), {"participants": [asdict(person) for person in everyone]})
        if everyone:
            return _show_naming(
                request, workshop, people=ParticipantForms(len(everyone), known=everyone), pasted=PastedPeopleForm()
            )
    return _show_naming(request, workshop, people=people, pasted=pasted, left_out=known[quantity:])


def _show_naming(
    request: HttpRequest,
    workshop: Workshop,
    *,
    people: ParticipantForms,
    pasted: PastedPeopleForm,
    left_out: Sequence[Participant] = (),
) -> HttpResponse:
    refused = refusal(workshop, timezone.now(), timezone.get_current_timezone())
    context = {
        "workshop": workshop,
        "people": people,
        "pasted": pasted,
        "quantity": len(people.forms),
        "left_out": left_out,
        "refusal": str(refused) if refused else "",
    }
    status = 400 if pasted.is_bound else 200
    return render(request, "workshops/participants_name.html", context, status=status)


def _add(request: HttpRequest, workshop: Workshop, quantity: int, details: dict[str, Any]) -> HttpResponse:
    item = Item(domain=DOMAIN, reference=str(workshop.pk), quantity=quantity, details=details)
    try:
        add_for_visitor(request, item)
    except NotForSale as error:
        messages.error(request, str(error))
        return redirect(error.change_url or workshop)
    messages.success(request, f"“{workshop.title}” is in your cart.")
    return redirect("payments:cart")


def _participants_in_cart(request: HttpRequest, workshop: Workshop) -> list[Participant]:
    """The participants named in the visitor's cart, so that they need not be entered again."""
    cart = cart_of(request)
    line = cart.lines.filter(domain=DOMAIN, reference=str(workshop.pk), gift_key="").first() if cart else None
    if line is None:
        return []
    with suppress(InvalidParticipants):
        return read_participants(line.details, line.quantity)
    return []


def _visible_workshop(request: HttpRequest, slug: str) -> Workshop:
    """A published or cancelled workshop; any other for its teacher and people with a place; otherwise raise Http404."""
    found = Workshop.objects.select_related("teacher__user", "subject").prefetch_related("sessions", "prices")
    workshop = get_object_or_404(found, slug=slug)
    is_shown = workshop.is_published or workshop.is_cancelled
    is_public = is_shown and workshop.teacher.status == Teacher.Status.APPROVED
    if is_public or _is_own(request, workshop) or _places_of(request, workshop):
        return workshop
    raise Http404


def _is_own(request: HttpRequest, workshop: Workshop) -> bool:
    return request.user.is_authenticated and workshop.teacher.user_id == request.user.pk


def _places_of(request: HttpRequest, workshop: Workshop) -> int:
    """How many tickets the visitor has for this workshop."""
    if not request.user.is_authenticated:
        return 0
    confirmed = workshop.registrations.filter(state=Registration.State.CONFIRMED)
    return confirmed.filter(buyer_id=request.user.pk, is_gift_waiting=False).count()


def _places_left(request: HttpRequest, workshop: Workshop, now: datetime) -> int:
    return places_left_for([workshop.pk], buyer_id=request.user.pk, at=now)[workshop.pk]


def _shown_price(workshop: Workshop, now: datetime, zone: tzinfo, currency: str) -> ShownPrice | None:
    amounts = unit_prices(workshop, now)
    if not amounts:
        return None
    currency = pick_currency(amounts, preferred=currency)
    price = next(price for price in workshop.prices.all() if price.currency == currency)
    if price.early_bird_until and price.is_early_bird_at(now):
        return ShownPrice(amounts[currency], price.amount, write_moment(price.early_bird_until, zone))
    return ShownPrice(amounts[currency])
