"""The page where teachers enter their subjects and levels."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.folding import by_name
from accounts.guards import TeacherRequest, teacher_required
from catalogue.expertise import remove_expertise, set_expertise
from catalogue.forms import ExpertiseForm
from catalogue.models import Expertise


@teacher_required
@require_http_methods(["GET", "POST"])
def edit_expertise(request: TeacherRequest) -> HttpResponse:
    """List the teacher's subjects, add one, or change its levels."""
    form = ExpertiseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        expertise = set_expertise(teacher=request.teacher, **form.cleaned_data)
        messages.success(request, f"{expertise.subject} is on your page.")
        return redirect("catalogue:expertise_edit")
    expertises = sorted(
        request.teacher.expertises.select_related("subject"), key=lambda expertise: by_name(expertise.subject.name)
    )
    context = {"form": form, "expertises": expertises, "teacher": request.teacher}
    return render(request, "catalogue/expertise_edit.html", context, status=400 if form.errors else 200)


@teacher_required
@require_POST
def delete_expertise(request: TeacherRequest, expertise_id: int) -> HttpResponse:
    """Remove a subject from the teacher's page."""
    expertise = get_object_or_404(Expertise.objects.select_related("subject"), pk=expertise_id, teacher=request.teacher)
    remove_expertise(teacher=request.teacher, subject=expertise.subject)
    messages.success(request, f"{expertise.subject} is no longer on your page.")
    return redirect("catalogue:expertise_edit")
