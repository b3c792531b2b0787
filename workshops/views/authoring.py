"""Create and change a workshop with its sessions and prices on one page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.guards import TeacherRequest, answer_suspended, still_teaching_required, teacher_required
from uploads.storage import NotStored
from workshops.models import Registration, Workshop
from workshops.publishing import CapacityBelowTaken, NotReadyToPublish, publish_workshop, save_workshop
from workshops.views.desk import own_workshop, warn_of_overlaps
from workshops.workshop_page import WorkshopEditor


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def create_workshop(request: TeacherRequest) -> HttpResponse:
    """Create a workshop, as a draft or published immediately."""
    return _edit(request, Workshop(teacher=request.teacher, time_zone=request.user.time_zone))


@still_teaching_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_workshop(request: TeacherRequest, slug: str) -> HttpResponse:
    """Change a workshop. A suspended teacher may change what people have places in: its link, times and address."""
    workshop = own_workshop(request, slug)
    has_places = workshop.registrations.filter(state=Registration.State.CONFIRMED).exists()
    if not request.teacher.is_approved and ("publish" in request.POST or not has_places):
        return answer_suspended(request)
    return _edit(request, workshop)


def _edit(request: TeacherRequest, workshop: Workshop) -> HttpResponse:
    if request.method != "POST":
        return _page(request, WorkshopEditor(workshop))
    editor = WorkshopEditor(workshop, request.POST, request.FILES)
    if not editor.is_valid():
        return _page(request, editor, status=400)
    try:
        saved = save_workshop(workshop=editor.workshop(), sessions=editor.sessions(), prices=editor.prices())
    except (CapacityBelowTaken, NotReadyToPublish) as error:
        editor.refuse(error)
        return _page(request, editor, status=400)
    except NotStored as failure:
        editor.form.add_error("cover", str(failure))
        return _page(request, editor, status=503)
    return _after_saving(request, saved)


def _after_saving(request: TeacherRequest, workshop: Workshop) -> HttpResponse:
    warn_of_overlaps(request, workshop)
    if "publish" not in request.POST:
        messages.success(request, f"“{workshop.title}” is saved.")
        return redirect("workshops:desk")
    try:
        publish_workshop(workshop=workshop)
    except NotReadyToPublish as error:
        messages.error(request, f"Saved, but not on sale yet. {error}")
        return redirect("workshops:edit", slug=workshop.slug)
    messages.success(request, f"“{workshop.title}” is on sale now.")
    return redirect("workshops:desk")


def _page(request: TeacherRequest, editor: WorkshopEditor, status: int = 200) -> HttpResponse:
    return render(request, "workshops/workshop_edit.html", {"editor": editor}, status=status)
