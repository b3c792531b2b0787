"""Pages for students who bought the course or whose plan opens it, and for its teacher. For everyone else, a 404.

A student whose plan no longer opens a course that they began with it reads why, and what they can do.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import Case, Count, F, Q, Value, When
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from catalogue.currencies import display_currency, pick_amount
from courses.access import Access, access_to, begun_by_plan, finish_lesson
from courses.handler import reason_against_buying
from courses.models import Course, CourseLesson, Enrolment, open_by_plan_to
from courses.outline import outline_of
from courses.progress import progress_of
from courses.quizzes import Quiz, ask_quiz, mark_quiz
from courses.uploads import content_type
from notifications.alerts import raise_alert
from payments.cancellations.lines import can_cancel_line
from subscriptions.access import plans_with_courses


@login_required
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """List the courses of a student, newest first."""
    student_id = request.user.pk or 0
    is_bought = Q(state=Enrolment.State.ACTIVE)
    is_begun = Q(opened_by_plan_at__isnull=False) & ~Q(course__state=Course.State.CLOSED)
    is_open = is_bought | open_by_plan_to(student_id, "course__")
    enrolments = (
        Enrolment.objects.filter(is_bought | is_begun, student=student_id)
        .select_related("course__teacher", "course__subject")
        .annotate(
            is_open=Case(When(is_open, then=Value(value=True)), default=Value(value=False)),
            lesson_count=Count("course__modules__lessons"),
            done_count=Count(
                "course__modules__lessons", filter=Q(done_lesson_ids__contains=[F("course__modules__lessons__pk")])
            ),
        )
        .order_by("-activated_at")
    )
    return render(request, "courses/enrolment_list.html", {"enrolments": enrolments})


@login_required
@require_safe
def open_course(request: HttpRequest, course_id: int) -> HttpResponse:
    """Redirect from the address that orders and receipts link to, which contains the course's id instead of its slug."""
    return redirect("courses:learn", get_object_or_404(Course.objects.open_to(request.user), pk=course_id).slug)


@login_required
@require_safe
def learn(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the course's outline."""
    access = _access(request, slug)
    if access is None:
        return _explain(request, slug)
    own, outline = access.enrolment, outline_of(access.course)
    context = {
        "course": access.course,
        "outline": outline,
        "progress": progress_of(own, outline.lessons),
        "enrolment": own,
        "plan": access.subscription.plan if access.subscription else None,
        "can_cancel": own is not None and access.subscription is None and can_cancel_line(own.order_line_id),
    }
    return render(request, "courses/course_learn.html", context)


@login_required
@require_safe
def lesson(request: HttpRequest, slug: str, lesson_id: int) -> HttpResponse:
    access = _access(request, slug)
    if access is None:
        return _explain(request, slug)
    shown = _lesson_of(access.course, lesson_id)
    access.record_use(shown)
    return _render_lesson(request, access, shown, ask_quiz(shown.questions.all()))


@login_required
@require_POST
def lesson_done(request: HttpRequest, slug: str, lesson_id: int) -> HttpResponse:
    """Mark a lesson as done, and go on to the next one."""
    access = _access(request, slug)
    if access is None:
        return _explain(request, slug)
    shown = _lesson_of(access.course, lesson_id)
    finish_lesson(access, shown)
    _, after = outline_of(access.course).around(shown)
    return redirect("courses:lesson", slug, after.pk) if after else redirect("courses:learn", slug)


@login_required
@require_POST
def lesson_answers(request: HttpRequest, slug: str, lesson_id: int) -> HttpResponse:
    """Show the lesson with its quiz marked."""
    access = _access(request, slug)
    if access is None:
        return _explain(request, slug)
    shown = _lesson_of(access.course, lesson_id)
    return _render_lesson(request, access, shown, mark_quiz(shown.questions.all(), request.POST))


@login_required
@require_safe
def lesson_file(request: HttpRequest, slug: str, lesson_id: int) -> HttpResponseBase:
    """Serve a lesson's file: always as a download, never as a page, and never stored by a shared cache."""
    access = _access(request, slug)
    if access is None:
        return _explain(request, slug)
    course, shown = access.course, _lesson_of(access.course, lesson_id)
    if not shown.file:
        raise Http404
    access.record_use(shown)
    try:
        content = shown.file.open("rb")
    except FileNotFoundError:
        raise_alert(
            key=f"course-file:{shown.pk}",
            title=f"The file of lesson “{shown.title}” is missing on the disk"[:200],
            detail={"course": course.title, "lesson": shown.pk, "file": shown.file.name},
        )
        raise Http404 from None
    response = FileResponse(
        content, as_attachment=True, filename=shown.file_name, content_type=content_type(shown.file_name)
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _access(request: HttpRequest, slug: str) -> Access | None:
    """How the reader opens the course; None if they do not."""
    user_id = request.user.pk or 0
    course = Course.objects.open_to(request.user).select_related("teacher").filter(slug=slug).first()
    return access_to(course, user_id) if course else None


def _explain(request: HttpRequest, slug: str) -> HttpResponse:
    """Say that the plan no longer opens a course that was begun with it, and how to go on. A 404 for anything else."""
    begun = begun_by_plan(slug, request.user.pk or 0)
    if begun is None:
        raise Http404
    course, outline = begun.course, outline_of(begun.course)
    context = {
        "course": course,
        "progress": progress_of(begun, outline.lessons),
        "outline": outline,
        "price": pick_amount([price.amount for price in course.prices.all()], preferred=display_currency(request)),
        "can_be_bought": not reason_against_buying(course, begun.student_id, set()),
        "plans": list(plans_with_courses()) if course.is_in_plans and course.is_published else [],
    }
    return render(request, "courses/course_ended.html", context, status=403)


def _lesson_of(course: Course, lesson_id: int) -> CourseLesson:
    lessons = CourseLesson.objects.filter(module__course=course).select_related("module")
    return get_object_or_404(lessons.prefetch_related("questions"), pk=lesson_id)


def _render_lesson(request: HttpRequest, access: Access, shown: CourseLesson, quiz: Quiz) -> HttpResponse:
    outline, own = outline_of(access.course), access.enrolment
    before, after = outline.around(shown)
    context = {
        "course": access.course,
        "lesson": shown,
        "outline": outline,
        "before": before,
        "after": after,
        "quiz": quiz,
        "enrolment": own,
        "progress": progress_of(own, outline.lessons),
    }
    return render(request, "courses/lesson_learn.html", context)
