"""A buyer's tickets."""

from __future__ import annotations

from itertools import groupby
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from payments.cancellations.lines import can_cancel_line
from workshops.calendar_file import calendar_of_ticket
from workshops.forms import ParticipantNameForm
from workshops.models import Registration, RegistrationQuerySet, Workshop
from workshops.renaming import CannotRename, may_rename, rename
from workshops.schedule import describe_schedule, first_start, last_end, session_times
from workshops.ticket_code import draw_ticket_code


@login_required
@require_safe
def list_tickets(request: HttpRequest) -> HttpResponse:
    """List all tickets a person bought, grouped by purchase: upcoming workshops first, past ones below."""
    was_cancelled = Q(state=Registration.State.REVOKED, workshop__state=Workshop.State.CANCELLED)
    tickets = _tickets_of(request).filter(Q(state=Registration.State.CONFIRMED) | was_cancelled)
    tickets = tickets.order_by("-order_line_id", "position")
    purchases = []
    for line_id, places in groupby(tickets, key=lambda ticket: ticket.order_line_id):
        registrations = list(places)
        workshop = registrations[0].workshop
        ends_at = last_end(list(workshop.sessions.all()))
        purchases.append(
            {
                "line_id": line_id,
                "workshop": workshop,
                "schedule": describe_schedule(workshop, timezone.get_current_timezone()),
                "tickets": registrations,
                "starts_at": first_start(list(workshop.sessions.all())) or timezone.now(),
                "can_cancel": _has_not_begun(workshop),
                "is_over": ends_at is not None and ends_at <= timezone.now(),
            }
        )
    purchases.sort(key=lambda purchase: purchase["starts_at"])
    context = {
        "upcoming": [purchase for purchase in purchases if not purchase["is_over"]],
        "past": [purchase for purchase in reversed(purchases) if purchase["is_over"]],
    }
    return render(request, "workshops/ticket_list.html", context)


@login_required
@require_safe
def show_ticket(request: HttpRequest, code: str) -> HttpResponse:
    """Show one ticket to its buyer."""
    ticket = _ticket(request, code)
    return _ticket_page(request, ticket, ParticipantNameForm(initial={"name": ticket.participant_name}))


@login_required
@require_POST
def rename_participant(request: HttpRequest, code: str) -> HttpResponse:
    """Let another person come with a ticket, until the workshop begins."""
    ticket = _ticket(request, code)
    form = ParticipantNameForm(request.POST)
    if not form.is_valid():
        return _ticket_page(request, ticket, form)
    try:
        rename(ticket=ticket, name=form.cleaned_data["name"])
    except CannotRename as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The ticket is for {form.cleaned_data['name']} now.")
    return redirect(ticket)


def _ticket_page(request: HttpRequest, ticket: Registration, form: ParticipantNameForm) -> HttpResponse:
    workshop = ticket.workshop
    context = {
        "ticket": ticket,
        "code_drawing": draw_ticket_code(ticket),
        "name_form": form if may_rename(ticket) else None,
        "workshop": workshop,
        "can_cancel": can_cancel_line(ticket.order_line_id),
        "is_valid": ticket.state == Registration.State.CONFIRMED and not workshop.is_cancelled,
        "sessions": session_times(workshop, timezone.get_current_timezone()),
    }
    return render(request, "workshops/ticket_detail.html", context, status=400 if form.errors else 200)


@login_required
@require_safe
def download_calendar(request: HttpRequest, code: str) -> HttpResponse:
    """Download the sessions of a ticket's workshop as a calendar file."""
    ticket = _ticket(request, code)
    calendar = calendar_of_ticket(ticket, timezone.get_current_timezone())
    response = HttpResponse(calendar, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="workshop.ics"'
    return response


def _has_not_begun(workshop: Workshop) -> bool:
    """Whether its places can still be cancelled by their students; a list does not look at each payment."""
    starts_at = first_start(list(workshop.sessions.all()))
    return not workshop.is_cancelled and (starts_at is None or starts_at > timezone.now())


def _ticket(request: HttpRequest, code: str) -> Registration:
    """A ticket of the signed-in person. A held place is not a ticket yet, so it raises Http404."""
    was_delivered = [Registration.State.CONFIRMED, Registration.State.REVOKED]
    return get_object_or_404(_tickets_of(request), code=code.replace("\x00", ""), state__in=was_delivered)


def _tickets_of(request: HttpRequest) -> RegistrationQuerySet:
    user = cast("User", request.user)
    tickets = Registration.objects.filter(buyer=user, is_gift_waiting=False).select_related("workshop__teacher__user")
    return tickets.prefetch_related("workshop__sessions")
