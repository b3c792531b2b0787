"""Pages for students. Another student's request or lesson is a 404."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.addresses import has_verified_address
from accounts.confirmation_page import ask_first
from accounts.models import Teacher, User
from bookings import DOMAIN, rules
from bookings.calendar_file import calendar_of
from bookings.credits import UsableCredits, credit_back_until, credit_for, portion_of_lesson
from bookings.forms.requests import RequestForm
from bookings.models import Lesson, LessonOffer, LessonRequest
from bookings.requests import RequestClosed, RequestRefused, request_lessons, withdraw_request
from payments.cancellations.lines import can_cancel_line
from payments.contracts import Item, NotForSale
from payments.visitor_cart import add_for_visitor
from subscriptions.credits import credit_balance

_LESSONS_PER_PAGE = 20
# From this long before a lesson its page's main button is the one to join.
_JOIN_BEFORE = timedelta(minutes=30)
_REQUESTS_SHOWN_FOR = timedelta(days=90)
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,80}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create_request(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask one teacher for lessons."""
    teacher = get_object_or_404(Teacher.objects.select_related("user"), slug=slug, status=Teacher.Status.APPROVED)
    return _ask(request, teacher, _offer_asked_about(request, teacher))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create_open_request(request: HttpRequest) -> HttpResponse:
    """Ask any suitable teacher for lessons."""
    return _ask(request, None, None)


@login_required
@require_safe
@never_cache
def list_lessons(request: HttpRequest) -> HttpResponse:
    """Show the student's upcoming lessons, requests, and past lessons."""
    now = timezone.now()
    lessons = Lesson.objects.for_pages().filter(student_id=request.user.pk)
    past = lessons.filter(confirmed_at__isnull=False).exclude(state=Lesson.State.CONFIRMED, period__endswith__gt=now)
    is_recent = Q(state=LessonRequest.State.OPEN) | Q(created_at__gte=now - _REQUESTS_SHOWN_FOR)
    context = {
        "upcoming": lessons.filter(state=Lesson.State.CONFIRMED, period__endswith__gt=now).order_by("period"),
        "requests": _requests_with_lessons(request).filter(is_recent),
        "page": Paginator(past.order_by("-period"), _LESSONS_PER_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "bookings/lesson_list.html", context)


@login_required
@require_safe
@never_cache
def show_request(request: HttpRequest, request_id: int) -> HttpResponse:
    """Show one request and what the teacher proposes."""
    lesson_request = get_object_or_404(_requests_with_lessons(request), pk=request_id)
    lessons = list(lesson_request.lessons.all())
    usable = UsableCredits(lesson_request.student_id)
    with_credit = {lesson.pk for lesson in lessons if usable.for_lesson(lesson)}
    context = {
        "lesson_request": lesson_request,
        "lessons": lessons,
        "can_buy": any(lesson.can_be_bought for lesson in lessons),
        "with_credit": with_credit,
        "balance": credit_balance(lesson_request.student_id) if with_credit else None,
        "terms": rules.write_terms({}),
    }
    return render(request, "bookings/request_show.html", context)


@login_required
@require_POST
def put_into_cart(request: HttpRequest, request_id: int) -> HttpResponse:
    """Put the chosen lessons of a request into the cart."""
    lesson_request = get_object_or_404(_requests_with_lessons(request), pk=request_id)
    chosen = set(request.POST.getlist("lesson"))
    lessons = [lesson for lesson in lesson_request.lessons.all() if str(lesson.pk) in chosen]
    if not lessons:
        messages.error(request, "Choose at least one of the times.")
        return redirect(lesson_request)
    try:
        for lesson in lessons:
            add_for_visitor(request, Item(domain=DOMAIN, reference=str(lesson.pk)))
    except NotForSale as refusal:
        messages.error(request, str(refusal))
        return redirect(lesson_request)
    messages.success(request, "Your lesson is in your cart." if len(lessons) == 1 else "Your lessons are in your cart.")
    return redirect("payments:cart")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, request_id: int) -> HttpResponse:
    """Withdraw an open request, after asking."""
    if request.method != "POST":
        lesson_request = get_object_or_404(_requests_with_lessons(request), pk=request_id)
        return ask_first(
            request,
            question=f"Withdraw your request for {lesson_request.subject.name} lessons?",
            consequence="Teachers can no longer answer it. This cannot be undone; you can make another request.",
            action="Withdraw request",
            back=lesson_request.get_absolute_url(),
        )
    try:
        lesson_request = withdraw_request(request_id=request_id, student=_user(request))
    except LessonRequest.DoesNotExist:
        lesson_request = get_object_or_404(LessonRequest, pk=request_id, student_id=request.user.pk)
    except RequestClosed as closed:
        messages.error(request, str(closed))
        return redirect("bookings:request_detail", request_id)
    messages.success(request, "Your request is withdrawn.")
    return redirect(lesson_request)


@login_required
@require_safe
@never_cache
def show_lesson(request: HttpRequest, lesson_id: int) -> HttpResponse:
    """Show one lesson to its student or its teacher."""
    lesson = _lesson_of_mine(request, lesson_id)
    is_teacher = lesson.teacher.user_id == request.user.pk
    now = timezone.now()
    is_ahead = lesson.is_confirmed and lesson.starts_at > now
    context = {
        "lesson": lesson,
        "is_teacher": is_teacher,
        "is_near": lesson.starts_at - _JOIN_BEFORE <= now < lesson.ends_at,
        "terms": rules.write_terms(lesson.policy),
        "can_cancel": is_ahead and (is_teacher or lesson.is_by_credit or can_cancel_line(lesson.order_line_id)),
        "credit_back_until": credit_back_until(lesson),
        "can_use_credit": not is_teacher and credit_for(lesson) is not None,
        "balance": None if is_teacher else credit_balance(lesson.student_id),
        "credit": portion_of_lesson(lesson) if is_teacher else None,
    }
    return render(request, "bookings/lesson_show.html", context)


@login_required
@require_safe
@never_cache
def download_calendar(request: HttpRequest, lesson_id: int) -> HttpResponse:
    """Download a paid lesson as a calendar file."""
    lesson = _lesson_of_mine(request, lesson_id, confirmed_at__isnull=False)
    headers = {"Content-Disposition": f'attachment; filename="lesson-{lesson.pk}.ics"'}
    calendar = calendar_of(lesson, timezone.get_current_timezone())
    return HttpResponse(calendar, content_type="text/calendar; charset=utf-8", headers=headers)


def _ask(request: HttpRequest, teacher: Teacher | None, offer: LessonOffer | None) -> HttpResponse:
    form = RequestForm(
        request.POST if request.method == "POST" else None,
        teacher=teacher,
        offer=offer,
        initial=_initial_from_last_request(request),
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = request_lessons(student=_user(request), wish=form.wish, teacher=teacher, offer=offer)
        except RequestRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _words_on(made))
            return redirect(made)
    context = {
        "form": form,
        "teacher": teacher,
        "offer": offer,
        "days": rules.ANSWER_WITHIN.days,
        "assigned_days": rules.ASSIGNED_ANSWER_WITHIN.days,
        "needs_verified_address": not has_verified_address(_user(request)),
    }
    return render(request, "bookings/request_create.html", context, status=400 if form.errors else 200)


def _words_on(made: LessonRequest) -> str:
    """What the student reads when the request is made."""
    if made.teacher is None:
        return "Your request is in. Our team is looking for a teacher and will write to you."
    return f"Your request is with {made.teacher.display_name}. We will write to you when it is answered."


def _initial_from_last_request(request: HttpRequest) -> dict[str, str]:
    """Region and meeting of the student's last request, since they rarely change."""
    last = LessonRequest.objects.filter(student_id=request.user.pk).first()
    return {"region": last.region, "meeting": last.meeting} if last else {}


def _offer_asked_about(request: HttpRequest, teacher: Teacher) -> LessonOffer | None:
    """The published offer of this teacher named in the query; None if there is no such offer."""
    slug = request.GET.get("offer", "")
    if not _SLUG.fullmatch(slug):
        return None
    offers = LessonOffer.objects.select_related("subject")
    return offers.filter(slug=slug, teacher=teacher, is_published=True).first()


def _requests_with_lessons(request: HttpRequest) -> QuerySet[LessonRequest]:
    lessons = Lesson.objects.for_pages().order_by("period")
    return (
        LessonRequest.objects.filter(student_id=request.user.pk)
        .select_related("teacher", "subject", "offer")
        .prefetch_related(Prefetch("lessons", lessons))
    )


def _lesson_of_mine(request: HttpRequest, lesson_id: int, **conditions: object) -> Lesson:
    mine = Q(student_id=request.user.pk) | Q(teacher__user_id=request.user.pk)
    return get_object_or_404(Lesson.objects.for_pages().filter(mine, **conditions), pk=lesson_id)


def _user(request: HttpRequest) -> User:
    return cast("User", request.user)
