"""Pages for enrolled students and the course's teacher. For everyone else they are a 404."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import Count, F, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from courses.models import Course, CourseLesson, Enrolment
from courses.outline import outline_of
from courses.progress import mark_done, progress_of
from courses.quizzes import Quiz, ask_quiz, mark_quiz
from courses.uploads import content_type
from notifications.alerts import raise_alert
from payments.cancellations.lines import can_cancel_line


@login_required
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """List the courses of a student, newest first."""
    enrolments = (
        Enrolment.objects.active()
        .filter(student=request.user.pk)
        .select_related("course__teacher", "course__subject")
        .annotate(
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
    course = _open_course(request, slug)
    own, outline = _own_enrolment(request, course), outline_of(course)
    context = {
        "course": course,
        "outline": outline,
        "progress": progress_of(own, outline.lessons),
        "enrolment": own,
        "can_cancel": own is not None and can_cancel_line(own.order_line_id),
    }
    return render(request, "courses/course_learn.html", context)


@login_required
@require_safe
def lesson(request: HttpRequest, slug: str, lesson_id: int) -> HttpResponse:
    course = _open_course(request, slug)
    shown = _lesson_of(course, lesson_id)
    return _render_lesson(request, course, shown, ask_quiz(shown.questions.all()))


@login_required
@require_POST
def lesson_done(request: HttpRequest, slug: str, lesson_id: int) -> HttpResponse:
    """Mark a lesson as done, and go on to the next one."""
    course = _open_course(request, slug)
    shown = _lesson_of(course, lesson_id)
    if own := _own_enrolment(request, course):
        mark_done(enrolment=own, lesson=shown)
    _, after = outline_of(course).around(shown)
    return redirect("courses:lesson", course.slug, after.pk) if after else redirect("courses:learn", course.slug)


@login_required
@require_POST
def lesson_answers(request: HttpRequest, slug: str, lesson_id: int) -> HttpResponse:
    """Show the lesson with its quiz marked."""
    course = _open_course(request, slug)
    shown = _lesson_of(course, lesson_id)
    return _render_lesson(request, course, shown, mark_quiz(shown.questions.all(), request.POST))


@login_required
@require_safe
def lesson_file(request: HttpRequest, slug: str, lesson_id: int) -> HttpResponseBase:
    """Serve a lesson's file: always as a download, never as a page, and never stored by a shared cache."""
    course = _open_course(request, slug)
    shown = _lesson_of(course, lesson_id)
    if not shown.file:
        raise Http404
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


def _open_course(request: HttpRequest, slug: str) -> Course:
    return get_object_or_404(Course.objects.open_to(request.user).select_related("teacher"), slug=slug)


def _own_enrolment(request: HttpRequest, course: Course) -> Enrolment | None:
    """The reader's own; None for the course's teacher, who reads it without one."""
    return Enrolment.objects.active().filter(course=course, student=request.user.pk).first()


def _lesson_of(course: Course, lesson_id: int) -> CourseLesson:
    lessons = CourseLesson.objects.filter(module__course=course).select_related("module")
    return get_object_or_404(lessons.prefetch_related("questions"), pk=lesson_id)


def _render_lesson(request: HttpRequest, course: Course, shown: CourseLesson, quiz: Quiz) -> HttpResponse:
    outline = outline_of(course)
    before, after = outline.around(shown)
    own = _own_enrolment(request, course)
    context = {
        "course": course,
        "lesson": shown,
        "outline": outline,
        "before": before,
        "after": after,
        "quiz": quiz,
        "enrolment": own,
        "progress": progress_of(own, outline.lessons),
    }
    return render(request, "courses/lesson_learn.html", context)
