"""Lesson credits: students use them and cancel lessons taken with them; teachers say whether they take them."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.confirmation_page import ask_first
from accounts.guards import TeacherRequest, teacher_required
from accounts.moments import write_moment, write_span
from accounts.time_zones import zone_for, zone_of_user
from bookings.credits import (
    CreditNotUsable,
    agree_to_credits,
    cancel_for_student,
    confirm_with_credit,
    credit_back_until,
    credit_for,
    gives_credit_back,
    stop_credits,
)
from bookings.forms.credits import CreditTermsForm, offered_credits
from bookings.models import CreditTerms, Lesson
from subscriptions.credits import credit_balance


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def use_credit(request: HttpRequest, lesson_id: int) -> HttpResponse:
    """Confirm a proposed lesson with a lesson credit, after asking."""
    lesson = _own_lesson(request, lesson_id)
    if request.method == "POST":
        return _confirm(request, lesson)
    if lesson.is_confirmed or credit_for(lesson) is None:
        messages.error(request, "A lesson credit cannot be used for this lesson now.")
        return redirect(lesson.request)
    balance = credit_balance(lesson.student_id)
    return ask_first(
        request,
        question=f"Use a lesson credit for the lesson on {_when(lesson)}?",
        consequence=(
            f"The lesson with {lesson.teacher.display_name} is confirmed at once, and you pay nothing. "
            f"You have {balance.count} credit{'' if balance.count == 1 else 's'}. If you cancel until "
            f"{_until(lesson)}, you get the credit back; after that it stays used."
        ),
        action="Use a lesson credit",
        back=lesson.request.get_absolute_url(),
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_lesson_with_credit(request: HttpRequest, lesson_id: int) -> HttpResponse:
    """Cancel a lesson taken with a credit, after saying whether the credit comes back."""
    lesson = _own_lesson(request, lesson_id)
    if not lesson.is_by_credit:
        # It was paid, and is cancelled on the page of its order line.
        return redirect(lesson)
    is_back = gives_credit_back(lesson, at=timezone.now())
    if request.method == "POST":
        return _cancel(request, lesson)
    if not lesson.is_confirmed or lesson.starts_at <= timezone.now():
        messages.error(request, "This lesson can no longer be cancelled.")
        return redirect(lesson)
    context = {
        "question": f"Cancel the lesson on {_when(lesson)}?",
        "consequence": "You get your lesson credit back."
        if is_back
        else f"You do not get your lesson credit back: that was possible until {_until(lesson)}.",
        "back": lesson.get_absolute_url(),
        "is_back": is_back,
    }
    return render(request, "bookings/credit_lesson_cancel.html", context)


@teacher_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit_credit_terms(request: TeacherRequest) -> HttpResponse:
    """Show what each credit is worth to the teacher; let them take credits, or stop."""
    terms = CreditTerms.objects.filter(teacher=request.teacher).first()
    offered = offered_credits(request.teacher)
    if request.method == "POST" and "stop" in request.POST:
        stop_credits(teacher=request.teacher)
        messages.success(request, "You take no more lesson credits. Lessons confirmed with one take place as agreed.")
        return redirect("bookings:credit_terms")
    form = CreditTermsForm(
        request.POST if request.method == "POST" else None,
        offered=offered,
        shown=request.POST.get("shown", ""),
        terms=terms,
    )
    if form.is_valid():
        agree_to_credits(
            teacher=request.teacher,
            longest_minutes=form.cleaned_data["longest_minutes"],
            least_values=offered.least_values,
        )
        messages.success(request, "You take lesson credits.")
        return redirect("bookings:credit_terms")
    context = {
        "form": form,
        "terms": terms,
        "offered": offered,
        "is_outdated": terms is not None and offered.is_below(terms.least_values),
    }
    return render(request, "bookings/credit_terms.html", context, status=400 if form.errors else 200)


def _confirm(request: HttpRequest, lesson: Lesson) -> HttpResponse:
    try:
        confirm_with_credit(lesson_id=lesson.pk, student_id=lesson.student_id)
    except CreditNotUsable as refusal:
        messages.error(request, str(refusal))
        return redirect(lesson.request)
    messages.success(request, "Your lesson is confirmed with a lesson credit.")
    return redirect(lesson)


def _cancel(request: HttpRequest, lesson: Lesson) -> HttpResponse:
    try:
        cancelled = cancel_for_student(
            lesson_id=lesson.pk,
            student_id=lesson.student_id,
            is_credit_expected=request.POST.get("credit") == "back",
        )
    except CreditNotUsable as refusal:
        messages.error(request, str(refusal))
        return redirect(lesson)
    is_back = cancelled.credit_ended_at is not None
    messages.success(
        request, f"It is cancelled. {'You have your lesson credit back.' if is_back else 'The credit stays used.'}"
    )
    return redirect(lesson)


def _own_lesson(request: HttpRequest, lesson_id: int) -> Lesson:
    return get_object_or_404(Lesson.objects.for_pages(), pk=lesson_id, student_id=request.user.pk)


def _when(lesson: Lesson) -> str:
    return write_span(lesson.starts_at, lesson.ends_at, zone_for(lesson, reader=zone_of_user(lesson.student)))


def _until(lesson: Lesson) -> str:
    return write_moment(credit_back_until(lesson), zone_for(lesson, reader=zone_of_user(lesson.student)))
