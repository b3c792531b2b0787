"""Lesson offers: the public page, and the pages where a teacher manages them."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.confirmation_page import ask_first
from accounts.guards import TeacherRequest, teacher_required
from accounts.models import Teacher
from bookings.forms.offers import OfferForm
from bookings.models import LessonOffer
from bookings.offers import OfferIncomplete, publish_offer, save_offer, withdraw_offer
from catalogue.currencies import display_currency, pick_amount
from catalogue.expertise import only_subject_of


@require_safe
def show_offer(request: HttpRequest, slug: str) -> HttpResponse:
    """Show an offer to everyone if it is published, otherwise only to its teacher."""
    is_public = Q(is_published=True, teacher__status=Teacher.Status.APPROVED)
    visible = is_public | Q(teacher__user_id=request.user.pk) if request.user.is_authenticated else is_public
    offers = LessonOffer.objects.select_related("teacher__user", "subject").prefetch_related("prices")
    offer = get_object_or_404(offers.filter(visible), slug=slug)
    price = pick_amount([price.amount for price in offer.prices.all()], preferred=display_currency(request))
    context = {"offer": offer, "price": price, "item_teacher": offer.teacher, "item_subject": offer.subject}
    return render(request, "bookings/offer_show.html", context)


@teacher_required
@require_safe
def list_offers(request: TeacherRequest) -> HttpResponse:
    """List the teacher's own offers."""
    offers = LessonOffer.objects.filter(teacher=request.teacher).select_related("subject").prefetch_related("prices")
    return render(request, "bookings/offer_list.html", {"offers": offers})


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def create_offer(request: TeacherRequest) -> HttpResponse:
    """Create an offer, not yet published."""
    return _edit(request, LessonOffer(teacher=request.teacher))


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_offer(request: TeacherRequest, offer_id: int) -> HttpResponse:
    """Change an offer. Lessons already proposed or bought do not change."""
    return _edit(request, _own_offer(request, offer_id))


@teacher_required
@require_POST
def publish(request: TeacherRequest, offer_id: int) -> HttpResponse:
    offer = _own_offer(request, offer_id)
    try:
        publish_offer(offer=offer)
    except OfferIncomplete as missing:
        messages.error(request, str(missing))
        return redirect("bookings:offer_edit", offer_id)
    messages.success(request, f"“{offer.title}” is published.")
    return redirect("bookings:offers_mine")


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: TeacherRequest, offer_id: int) -> HttpResponse:
    offer = _own_offer(request, offer_id)
    if request.method != "POST":
        return ask_first(
            request,
            question=f"Withdraw “{offer.title}” from the site?",
            consequence="Students no longer find it until you publish it again. Requests made from it are kept.",
            action="Withdraw offer",
            back=reverse("bookings:offers_mine"),
        )
    withdraw_offer(offer=offer)
    messages.success(request, f"“{offer.title}” is off the site. Requests made from it are kept.")
    return redirect("bookings:offers_mine")


def _edit(request: TeacherRequest, offer: LessonOffer) -> HttpResponse:
    initial = {} if offer.pk else {"subject": only_subject_of(request.teacher)}
    form = OfferForm(request.POST if request.method == "POST" else None, instance=offer, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved = save_offer(offer=form.save(commit=False), prices=form.prices)
        messages.success(request, f"“{saved.title}” is saved.")
        return redirect("bookings:offers_mine")
    context = {"form": form, "offer": offer}
    return render(request, "bookings/offer_edit.html", context, status=400 if form.errors else 200)


def _own_offer(request: TeacherRequest, offer_id: int) -> LessonOffer:
    return get_object_or_404(
        LessonOffer.objects.select_related("teacher", "subject"), pk=offer_id, teacher=request.teacher
    )
