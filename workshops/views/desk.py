"""A teacher's own workshops: sales, participants, and putting workshops on and off sale."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.confirmation_page import ask_first
from accounts.guards import TeacherRequest, still_teaching_required, teacher_required
from accounts.moments import write_span
from accounts.names import sorting_key
from accounts.time_zones import zone_for
from payments.appointments import overlaps_of
from payments.cancellations.sales import failures_of, progress_of, sold_of
from payments.forms import CancellationForm
from workshops import DOMAIN
from workshops.appointments import appointment_of
from workshops.cancelling import NeverPublished, cancel_workshop, cancellation_of
from workshops.models import Registration, Workshop
from workshops.publishing import NotReadyToPublish, publish_workshop, withdraw_workshop
from workshops.schedule import describe_schedule

_CONFIRMED = Q(registrations__state=Registration.State.CONFIRMED)


@still_teaching_required
@require_safe
def show_desk(request: TeacherRequest) -> HttpResponse:
    """List the teacher's workshops with the places sold, held and left."""
    held = Q(registrations__state=Registration.State.HELD, registrations__held_until__gt=timezone.now())
    workshops = (
        Workshop.objects.filter(teacher=request.teacher)
        .annotate(sold=Count("registrations", filter=_CONFIRMED), held=Count("registrations", filter=held))
        .prefetch_related("sessions", "prices")
    )
    rows = [
        {
            "workshop": workshop,
            "schedule": describe_schedule(workshop, timezone.get_current_timezone()),
            "left": max(workshop.capacity - workshop.sold - workshop.held, 0),
        }
        for workshop in workshops
    ]
    return render(request, "workshops/workshop_desk.html", {"rows": rows})


@teacher_required
@require_POST
def publish(request: TeacherRequest, slug: str) -> HttpResponse:
    """Put a workshop on sale."""
    workshop = own_workshop(request, slug)
    try:
        publish_workshop(workshop=workshop)
    except NotReadyToPublish as error:
        messages.error(request, str(error))
        return redirect("workshops:edit", slug=slug)
    messages.success(request, f"“{workshop.title}” is on sale now.")
    warn_of_overlaps(request, workshop)
    return redirect("workshops:desk")


def warn_of_overlaps(request: TeacherRequest, workshop: Workshop) -> None:
    """Tell the teacher what else they teach or attend at the times of a workshop that was just saved or published."""
    planned = [appointment_of(session, workshop) for session in workshop.sessions.all()]
    for overlap in overlaps_of(request.user.pk, planned):
        other = overlap.existing
        when = write_span(other.starts_at, other.ends_at, zone_for(other, reader=timezone.get_current_timezone()))
        messages.warning(request, f"“{workshop.title}” is at the same time as “{other.title}”, {when}.")


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: TeacherRequest, slug: str) -> HttpResponse:
    """Take a workshop off sale, after asking."""
    workshop = own_workshop(request, slug)
    if request.method != "POST":
        return ask_first(
            request,
            question=f"Withdraw “{workshop.title}” from sale?",
            consequence="It cannot be booked until you publish it again. People who have a place keep it.",
            action="Withdraw from sale",
            back=reverse("workshops:desk"),
        )
    withdraw_workshop(workshop=workshop)
    messages.success(request, f"“{workshop.title}” is off sale. People who have a place keep it.")
    return redirect("workshops:desk")


@still_teaching_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def cancel(request: TeacherRequest, slug: str) -> HttpResponse:
    """Show what cancelling a workshop means, cancel it, and then show how far the refunds are."""
    workshop = own_workshop(request, slug)
    sold = sold_of(domain=DOMAIN, reference=str(workshop.pk))
    form = CancellationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            cancel_workshop(
                workshop=workshop, reason=form.cleaned_data["reason"], requested_by_id=request.teacher.user_id
            )
        except NeverPublished:
            messages.error(request, "This workshop was never on sale, so there is nothing to cancel.")
            return redirect("workshops:desk")
        back = " Everyone who paid for a place gets their money back." if sold.is_paid else ""
        messages.success(request, f"“{workshop.title}” is cancelled.{back}")
        return redirect("workshops:cancel", slug=slug)
    cancellation = cancellation_of(workshop)
    context = {
        "kicker": "Cancel a workshop",
        "heading": workshop.title,
        "lead": describe_schedule(workshop, timezone.get_current_timezone()),
        "form": form,
        "sold": sold,
        "consequence": "The workshop goes off sale for good, and everyone with a place gets an email.",
        "action": "Cancel the workshop and refund everyone" if sold.is_paid else "Cancel the workshop",
        "back": reverse("workshops:desk"),
        "cancellation": cancellation,
        "progress": progress_of(cancellation) if cancellation else None,
        "failures": failures_of(cancellation) if cancellation else [],
    }
    return render(request, "payments/sale_cancel.html", context, status=400 if form.errors else 200)


@still_teaching_required
@require_safe
def list_participants(request: TeacherRequest, slug: str) -> HttpResponse:
    """List the participants of a workshop of the teacher."""
    workshop = own_workshop(request, slug)
    participants = workshop.registrations.filter(state=Registration.State.CONFIRMED).select_related("buyer")
    context = {
        "workshop": workshop,
        "schedule": describe_schedule(workshop, timezone.get_current_timezone()),
        "participants": sorted(participants.order_by("pk"), key=lambda place: sorting_key(place.participant_name)),
    }
    return render(request, "workshops/participant_list.html", context)


@still_teaching_required
@require_safe
@never_cache
def check_ticket(request: TeacherRequest, code: str) -> HttpResponse:
    """Show the teacher whether a ticket is valid: the page that its QR code leads to."""
    tickets = Registration.objects.filter(workshop__teacher=request.teacher)
    tickets = tickets.exclude(state=Registration.State.HELD).select_related("workshop", "buyer")
    ticket = get_object_or_404(tickets.prefetch_related("workshop__sessions"), code=code.replace("\x00", ""))
    context = {
        "ticket": ticket,
        "workshop": ticket.workshop,
        "schedule": describe_schedule(ticket.workshop, timezone.get_current_timezone()),
        "is_valid": ticket.state == Registration.State.CONFIRMED and not ticket.workshop.is_cancelled,
    }
    return render(request, "workshops/ticket_check.html", context)


def own_workshop(request: TeacherRequest, slug: str) -> Workshop:
    """The teacher's own workshop; raises Http404 for another teacher's."""
    found = Workshop.objects.filter(teacher=request.teacher).select_related("teacher__user", "subject")
    return get_object_or_404(found.prefetch_related("sessions", "prices"), slug=slug)
