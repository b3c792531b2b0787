"""The page on which teachers say whether they take new requests."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.guards import TeacherRequest, teacher_required
from bookings.availability import availability_of, set_availability
from bookings.forms.availability import AvailabilityForm


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def edit_availability(request: TeacherRequest) -> HttpResponse:
    """Show and change the teacher's pause and days."""
    availability = availability_of(request.teacher)
    form = AvailabilityForm(request.POST if request.method == "POST" else None, availability=availability)
    if form.is_valid():
        set_availability(teacher=request.teacher, **form.cleaned_data)
        messages.success(request, "Your availability is saved.")
        return redirect("bookings:availability")
    context = {"form": form, "is_pausing": availability.is_pausing(timezone.localdate()), "availability": availability}
    return render(request, "bookings/availability_edit.html", context, status=400 if form.errors else 200)
