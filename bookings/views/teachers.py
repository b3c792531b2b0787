"""A teacher's desk: requests to answer, proposals, upcoming lessons. Another teacher's are a 404."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.confirmation_page import ask_first
from accounts.guards import TeacherRequest, still_teaching_required, teacher_required
from accounts.moments import write_span
from accounts.time_zones import zone_for, zone_of_user
from bookings import DOMAIN
from bookings.appointments import other_appointments_at
from bookings.availability import availability_of
from bookings.credits import cancel_for_teacher as cancel_credit_lesson
from bookings.forms.proposals import AcceptForm, DeclineForm, MeetingForm, PassOnForm
from bookings.matching import requests_on_desk
from bookings.meetings import set_meeting_link
from bookings.models import Assignment, Lesson, LessonRequest
from bookings.proposals import (
    ProposalRefused,
    accept_request,
    decline_request,
    lessons_near,
    withdraw_proposal,
)
from bookings.requests import RequestClosed
from payments.cancellations.lines import Cancellation, CannotCancel, cancel_for_teacher
from payments.cancellations.sales import sold_of
from payments.contracts import Appointment
from payments.forms import CancellationForm


@dataclass(frozen=True, slots=True)
class _Overlaps:
    """What the teacher does at the times they are about to propose: lessons they give, and everything else."""

    lessons: Sequence[Lesson] = ()
    others: Sequence[Appointment] = ()

    @property
    def are_any(self) -> bool:
        return bool(self.lessons or self.others)


# Far more than one teacher can answer; the oldest are shown first.
_REQUESTS_AT_MOST = 100


@still_teaching_required
@require_safe
@never_cache
def show_desk(request: TeacherRequest) -> HttpResponse:
    """Show the requests, proposals and upcoming lessons of the teacher."""
    now = timezone.now()
    availability = availability_of(request.teacher)
    lessons = list(
        Lesson.objects.for_pages()
        .filter(teacher=request.teacher, period__endswith__gt=now)
        .filter(state__in=[Lesson.State.PROPOSED, Lesson.State.HELD, Lesson.State.CONFIRMED])
        .order_by("period")
    )
    context = {
        "may_answer": request.teacher.is_approved,
        "requests": requests_on_desk(request.teacher)[:_REQUESTS_AT_MOST] if request.teacher.is_approved else [],
        "upcoming": [lesson for lesson in lessons if lesson.is_confirmed],
        "proposed": [lesson for lesson in lessons if not lesson.is_confirmed],
        "availability": availability,
        "is_pausing": availability.is_pausing(timezone.localdate()),
    }
    return render(request, "bookings/desk_show.html", context)


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def answer_request(request: TeacherRequest, request_id: int) -> HttpResponse:
    """Show a request, and propose times in answer."""
    if _has_gone_to_another(request, request_id):
        messages.info(request, "This request has gone to another teacher.")
        return redirect("bookings:desk")
    lesson_request = _request_to_answer(request, request_id)
    form = AcceptForm(
        request.POST if request.method == "POST" else None,
        lesson_request=lesson_request,
        zone=zone_of_user(request.user),
    )
    if not lesson_request.is_open:
        return _answer_page(request, lesson_request, form)
    overlaps = _Overlaps()
    if request.method == "POST" and form.is_valid():
        overlaps = _Overlaps(
            lessons_near(request.teacher, form.slots), other_appointments_at(request.teacher, form.slots)
        )
        if overlaps.are_any and not form.cleaned_data["propose_anyway"]:
            form.ask_about_overlaps()
            return _answer_page(request, lesson_request, form, overlaps)
        try:
            accept_request(request_id=request_id, teacher=request.teacher, proposal=form.proposal)
        except RequestClosed as closed:
            messages.error(request, str(closed))
            return redirect("bookings:desk")
        except ProposalRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Your proposal is on its way to {lesson_request.student.display_name}.")
            return redirect("bookings:desk")
    return _answer_page(request, lesson_request, form, overlaps)


@teacher_required
@require_POST
def decline(request: TeacherRequest, request_id: int) -> HttpResponse:
    """Decline a request, with a note to the student."""
    form = DeclineForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Your note is too long, or contains characters that cannot be shown.")
        return redirect("bookings:request_answer", request_id)
    try:
        decline_request(request_id=request_id, teacher=request.teacher, note=form.cleaned_data["note"])
    except LessonRequest.DoesNotExist as unknown:
        raise Http404 from unknown
    except RequestClosed as closed:
        messages.error(request, str(closed))
    else:
        messages.success(request, "The request has left your desk.")
    return redirect("bookings:desk")


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: TeacherRequest, lesson_id: int) -> HttpResponse:
    """Withdraw a proposed lesson, after asking."""
    if request.method != "POST":
        lesson = get_object_or_404(Lesson.objects.for_pages(), pk=lesson_id, teacher=request.teacher)
        return ask_first(
            request,
            question=f"Withdraw the lesson you proposed to {lesson.student.display_name}?",
            consequence="The student can no longer choose this time. This cannot be undone; you can propose other times.",
            action="Withdraw proposal",
            back=reverse("bookings:desk"),
        )
    try:
        withdraw_proposal(lesson_id=lesson_id, teacher=request.teacher)
    except Lesson.DoesNotExist as unknown:
        raise Http404 from unknown
    except ProposalRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The proposal is withdrawn.")
    return redirect("bookings:desk")


@still_teaching_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def cancel_lesson(request: TeacherRequest, lesson_id: int) -> HttpResponse:
    """Show what cancelling a paid lesson means, and cancel it; what was paid for it and is left comes back."""
    lesson = get_object_or_404(Lesson.objects.for_pages(), pk=lesson_id, teacher=request.teacher)
    if not lesson.is_confirmed or lesson.ends_at <= timezone.now():
        messages.error(request, "This lesson cannot be cancelled.")
        return redirect(lesson)
    form = CancellationForm(request.POST if request.method == "POST" else None)
    if lesson.order_line_id is None:
        return _cancel_with_credit(request, lesson, form)
    if form.is_valid():
        try:
            cancelled = cancel_for_teacher(
                line_id=lesson.order_line_id,
                reason=form.cleaned_data["reason"],
                requested_by_id=request.teacher.user_id,
            )
        except CannotCancel as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _words_on(cancelled, lesson.student.display_name))
        return redirect(lesson)
    sold = sold_of(domain=DOMAIN, reference=str(lesson.pk))
    context = {
        "kicker": "Cancel a lesson",
        "heading": lesson.title,
        "lead": write_span(lesson.starts_at, lesson.ends_at, zone_for(lesson, reader=zone_of_user(request.user))),
        "form": form,
        "sold": sold,
        "consequence": f"Your slot is free again, and {lesson.student.display_name} gets an email.",
        "action": "Cancel the lesson and refund it" if sold.refundable else "Cancel the lesson",
        "back": lesson.get_absolute_url(),
    }
    return render(request, "payments/sale_cancel.html", context, status=400 if form.errors else 200)


def _cancel_with_credit(request: TeacherRequest, lesson: Lesson, form: CancellationForm) -> HttpResponse:
    """The same for a lesson taken with a lesson credit, which the student gets back."""
    student = lesson.student.display_name
    if form.is_valid():
        reason = f"Cancelled by the teacher: {form.cleaned_data['reason']}"
        if cancel_credit_lesson(lesson_id=lesson.pk, reason=reason) is None:
            messages.error(request, "This lesson was cancelled already.")
        else:
            messages.success(request, f"The lesson is cancelled. {student} gets the lesson credit back.")
        return redirect(lesson)
    context = {
        "kicker": "Cancel a lesson",
        "heading": lesson.title,
        "lead": write_span(lesson.starts_at, lesson.ends_at, zone_for(lesson, reader=zone_of_user(request.user))),
        "form": form,
        "consequence": f"Your slot is free again. {student} gets the lesson credit back, and an email.",
        "action": "Cancel the lesson",
        "back": lesson.get_absolute_url(),
    }
    return render(request, "payments/sale_cancel.html", context, status=400 if form.errors else 200)


def _words_on(cancelled: Cancellation | None, student: str) -> str:
    """What the teacher reads about a cancellation; None if the lesson had been cancelled before."""
    if cancelled is None:
        return "This lesson was cancelled already."
    words = ["The lesson is cancelled."]
    if cancelled.refund:
        words.append(f"{student} gets {cancelled.refund.amount} back.")
    if cancelled.waiting.minor:
        words.append(f"{student} disputes {cancelled.waiting} with their bank, and gets it back once that is decided.")
    if len(words) == 1:
        words.append("Nothing is left to refund.")
    return " ".join(words)


@still_teaching_required
@require_POST
def set_meeting(request: TeacherRequest, lesson_id: int) -> HttpResponse:
    """Set the link to join a lesson online."""
    lesson = get_object_or_404(Lesson, pk=lesson_id, teacher=request.teacher, is_online=True)
    form = MeetingForm(request.POST)
    if form.is_valid():
        set_meeting_link(lesson_id=lesson.pk, teacher=request.teacher, url=form.cleaned_data["meeting_url"])
        messages.success(request, "The link is saved.")
    else:
        messages.error(request, "Give a link that starts with https://.")
    return redirect(lesson)


def _has_gone_to_another(request: TeacherRequest, request_id: int) -> bool:
    """Whether the teacher was asked about this request before, and follows an old link."""
    was_asked = Assignment.objects.filter(request=request_id, teacher=request.teacher)
    return was_asked.exclude(request__teacher=request.teacher).exists()


def _request_to_answer(request: TeacherRequest, request_id: int) -> LessonRequest:
    """A request addressed to this teacher, also one that has been answered; otherwise raise Http404."""
    addressed = LessonRequest.objects.select_related("student", "subject", "offer").filter(teacher=request.teacher)
    return get_object_or_404(addressed, pk=request_id)


def _answer_page(
    request: TeacherRequest, lesson_request: LessonRequest, form: AcceptForm, overlaps: _Overlaps | None = None
) -> HttpResponse:
    regions = request.teacher.regions
    country = lesson_request.region.partition("-")[0]
    is_outside = bool(regions) and lesson_request.region not in regions and country not in regions
    context = {
        "lesson_request": lesson_request,
        "form": form,
        "decline_form": (PassOnForm if lesson_request.is_to_any_teacher else DeclineForm)(auto_id="decline_%s"),
        "overlaps": overlaps or _Overlaps(),
        "is_outside_regions": is_outside,
    }
    status = 400 if form.is_bound and form.errors else 200
    return render(request, "bookings/request_answer.html", context, status=status)
