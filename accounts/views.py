"""The pages where people edit their own data: the profile, the application to teach and the teacher's page."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.applications import AlreadyTeaching, apply_to_teach
from accounts.forms import ApplicationForm, ProfileForm, TeacherProfileForm
from accounts.guards import TeacherRequest, teacher_of, teacher_required
from accounts.markdown import render_markdown
from accounts.models import Teacher, User
from accounts.profiles import change_teacher_profile
from uploads.storage import NotStored

LONGEST_PREVIEW = 20_000


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, time zone and language."""
    user = cast("User", request.user)
    # A copy, so that an invalid name does not appear in the page's header.
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=user.pk))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("accounts:profile")
    context = {"form": form, "teacher": teacher_of(request), "now": timezone.now()}
    return render(request, "accounts/profile_edit.html", context, status=_status(form))


@login_required
@require_http_methods(["GET", "POST"])
def teacher_apply(request: HttpRequest) -> HttpResponse:
    """Apply to teach, or see where the application stands."""
    teacher = teacher_of(request)
    if teacher and teacher.status != Teacher.Status.DECLINED:
        return _standing(request, teacher)
    user = cast("User", request.user)
    form = ApplicationForm(request.POST or None, instance=teacher, initial={"display_name": user.full_name})
    if request.method == "POST" and form.is_valid():
        try:
            apply_to_teach(user=user, application=form.application())
        except AlreadyTeaching:
            # The person clicked twice and the other request came first; the next page shows the application.
            return redirect("accounts:teacher_apply")
        messages.success(request, "Thank you. We read every application and will write to you.")
        return redirect("accounts:teacher_apply")
    return render(request, "accounts/teacher_apply.html", {"form": form, "teacher": teacher}, status=_status(form))


def _standing(request: HttpRequest, teacher: Teacher) -> HttpResponse:
    if teacher.is_approved:
        return redirect("accounts:teacher_profile")
    if teacher.status == Teacher.Status.SUSPENDED:
        return render(request, "accounts/teacher_suspended.html", {"teacher": teacher}, status=403)
    return render(request, "accounts/teacher_applied.html", {"teacher": teacher})


@teacher_required
@require_http_methods(["GET", "POST"])
def teacher_profile(request: TeacherRequest) -> HttpResponse:
    """Edit the public page."""
    form = TeacherProfileForm(request.POST or None, request.FILES or None, instance=request.teacher)
    if request.method == "POST" and form.is_valid():
        changes = dict(form.cleaned_data)
        photo = changes.pop("photo") if "photo" in form.changed_data else None
        changes.pop("photo", None)
        try:
            change_teacher_profile(teacher=request.teacher, photo=photo, **changes)
        except NotStored as failure:
            form.add_error("photo", str(failure))
            return render(request, "accounts/teacher_edit.html", _teacher_page(form), status=503)
        messages.success(request, "Your page is saved.")
        return redirect("accounts:teacher_profile")
    return render(request, "accounts/teacher_edit.html", _teacher_page(form), status=_status(form))


def _teacher_page(form: TeacherProfileForm) -> dict[str, Any]:
    # Read again, because an invalid form has changed the instance it was given.
    teacher = Teacher.objects.get(pk=form.instance.pk)
    return {"form": form, "teacher": teacher, "preview": render_markdown(teacher.biography)}


@login_required
@require_POST
def markdown_preview(request: HttpRequest) -> HttpResponse:
    """Preview Markdown as it is typed (htmx). Nothing is stored."""
    text = request.POST.get("biography", "")[:LONGEST_PREVIEW]
    return render(request, "accounts/_markdown_preview.html", {"preview": render_markdown(text)})


def _status(form: Any) -> int:
    return 422 if form.is_bound and form.errors else 200
