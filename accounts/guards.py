"""Decorators for views that decide who may open a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from accounts.models import Teacher, User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class TeacherRequest(HttpRequest):
    """A request that passed `teacher_required`."""

    user: User
    teacher: Teacher


def teacher_of(request: HttpRequest) -> Teacher | None:
    """Return the signed-in person's teaching profile in any status; None if there is none."""
    if not request.user.is_authenticated:
        return None
    return Teacher.objects.select_related("user").filter(user_id=request.user.pk).first()


def teacher_required(view: Callable[Concatenate[TeacherRequest, P], HttpResponseBase]) -> View[P]:
    """Let approved teachers in and set `request.teacher`.

    Others are sent to the page for applying, which says how to begin or where their application stands. Suspended
    teachers get a page (403) that says so.
    """

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        teacher = teacher_of(request)
        if teacher is None or teacher.status in (Teacher.Status.APPLIED, Teacher.Status.DECLINED):
            return redirect("accounts:teacher_apply")
        if not teacher.is_approved:
            return _suspended(request, teacher)
        teacher_request = cast("TeacherRequest", request)
        teacher_request.teacher = teacher
        return view(teacher_request, *args, **kwargs)

    return cast("View[P]", guarded)


def _suspended(request: HttpRequest, teacher: Teacher) -> HttpResponse:
    return render(request, "accounts/teacher_suspended.html", {"teacher": teacher}, status=403)
