"""The teacher's own courses: list, details, outline, and putting them on and off sale."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guards import TeacherRequest, teacher_required
from courses.authoring import WouldBreakPublished, change_course, create_course
from courses.forms import CourseForm, ModuleForm
from courses.models import Course, CourseLesson
from courses.outline import outline_of
from courses.publishing import CannotPublish, publish_course, reasons_against_publishing, withdraw_course
from uploads.storage import NotStored


def own_course(request: TeacherRequest, course_id: int) -> Course:
    """The teacher's own course; raises Http404 for another teacher's."""
    return get_object_or_404(Course.objects.select_related("teacher"), teacher=request.teacher, pk=course_id)


@teacher_required
@require_safe
def desk(request: TeacherRequest) -> HttpResponse:
    courses = Course.objects.filter(teacher=request.teacher).with_counts().prefetch_related("prices")
    return render(request, "courses/course_desk.html", {"courses": courses})


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def course_create(request: TeacherRequest) -> HttpResponse:
    form = CourseForm(request.POST or None, request.FILES or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            course = create_course(teacher=request.teacher, prices=form.prices, **form.changes)
        except NotStored as failure:
            form.add_error("cover", str(failure))
            status = 503
        else:
            messages.success(request, "Your course is saved as a draft. Now add modules and lessons.")
            return redirect("courses:course_outline", course.pk)
    return render(request, "courses/course_edit.html", {"form": form, "heading": "New course"}, status=status)


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def course_edit(request: TeacherRequest, course_id: int) -> HttpResponse:
    course = own_course(request, course_id)
    form = CourseForm(request.POST or None, request.FILES or None, course=course)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            change_course(course=course, prices=form.prices, changes=form.changes)
        except WouldBreakPublished as refused:
            form.add_error(None, str(refused))
        except NotStored as failure:
            form.add_error("cover", str(failure))
            status = 503
        else:
            messages.success(request, "Saved.")
            return redirect("courses:course_outline", course.pk)
    context = {"form": form, "course": course, "heading": f"Details of {course.title}"}
    return render(request, "courses/course_edit.html", context, status=status)


@teacher_required
@require_safe
def course_outline(request: TeacherRequest, course_id: int) -> HttpResponse:
    """Show modules and lessons with the controls to edit them, and what is missing before publishing."""
    course = own_course(request, course_id)
    return render(
        request,
        "courses/course_outline.html",
        {
            "course": course,
            "outline": outline_of(course),
            "kinds": CourseLesson.Kind.choices,
            "missing": [] if course.is_published else reasons_against_publishing(course),
            "module_form": ModuleForm(),
        },
    )


@teacher_required
@require_POST
def course_publish(request: TeacherRequest, course_id: int) -> HttpResponse:
    course = own_course(request, course_id)
    try:
        publish_course(course_id=course.pk)
    except CannotPublish as refused:
        messages.error(request, f"This course cannot be published yet. {refused}")
    else:
        messages.success(request, "Your course is published and for sale.")
    return redirect("courses:course_outline", course.pk)


@teacher_required
@require_POST
def course_withdraw(request: TeacherRequest, course_id: int) -> HttpResponse:
    course = own_course(request, course_id)
    withdraw_course(course_id=course.pk)
    messages.success(request, "Your course is no longer for sale. Its students keep it.")
    return redirect("courses:course_outline", course.pk)
