"""The teacher's own courses: list, details, outline, and putting them on and off sale."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.confirmation_page import ask_first
from accounts.guards import TeacherRequest, teacher_required
from catalogue.expertise import only_subject_of
from courses import DOMAIN
from courses.authoring import WouldBreakPublished, change_course, create_course
from courses.forms import CourseForm, ModuleForm
from courses.models import Course, CourseLesson
from courses.outline import outline_of
from courses.publishing import CannotPublish, close_course, publish_course, reasons_against_publishing, withdraw_course
from payments.cancellations.sales import failures_of, latest_cancellation, progress_of, sold_of
from payments.forms import CancellationForm
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
    form = CourseForm(
        request.POST or None, request.FILES or None, initial={"subject": only_subject_of(request.teacher)}
    )
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
@require_http_methods(["GET", "HEAD", "POST"])
def course_withdraw(request: TeacherRequest, course_id: int) -> HttpResponse:
    course = own_course(request, course_id)
    if request.method != "POST":
        return ask_first(
            request,
            question=f"Withdraw “{course.title}” from sale?",
            consequence="It cannot be bought until you publish it again. Its students keep it.",
            action="Withdraw from sale",
            back=reverse("courses:course_outline", args=[course.pk]),
        )
    withdraw_course(course_id=course.pk)
    messages.success(request, "Your course is no longer for sale. Its students keep it.")
    return redirect("courses:course_outline", course.pk)


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def course_close(request: TeacherRequest, course_id: int) -> HttpResponse:
    """Show what closing a course means, close it, and then show how far the refunds are."""
    course = own_course(request, course_id)
    sold = sold_of(domain=DOMAIN, reference=str(course.pk))
    form = CancellationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        if close_course(course_id=course.pk, reason=reason, requested_by_id=request.teacher.user_id) is None:
            messages.error(request, "This course was never published, so there is nothing to close.")
            return redirect("courses:course_outline", course.pk)
        back = " Everyone who paid for it gets their money back." if sold.is_paid else ""
        messages.success(request, f"“{course.title}” is closed.{back}")
        return redirect("courses:course_close", course.pk)
    cancellation = latest_cancellation(domain=DOMAIN, reference=str(course.pk))
    context = {
        "kicker": "Close a course",
        "heading": course.title,
        "form": form,
        "sold": sold,
        "consequence": "The course goes off sale for good, its students lose it, and they get an email.",
        "action": "Close the course and refund everyone" if sold.is_paid else "Close the course",
        "back": reverse("courses:course_outline", args=[course.pk]),
        "cancellation": cancellation,
        "progress": progress_of(cancellation) if cancellation else None,
        "failures": failures_of(cancellation) if cancellation else [],
    }
    return render(request, "payments/sale_cancel.html", context, status=400 if form.errors else 200)
