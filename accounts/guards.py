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
    """A request that passed `teacher_required` or `still_teaching_required`."""

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
    return _guard(view, lets_suspended_in=False)


def still_teaching_required(view: Callable[Concatenate[TeacherRequest, P], HttpResponseBase]) -> View[P]:
    """As `teacher_required`, and let suspended teachers in: they still teach what was sold, and their students wait."""
    return _guard(view, lets_suspended_in=True)


def answer_suspended(request: TeacherRequest) -> HttpResponse:
    """The page that tells suspended teachers that they are, and leads them to what they still teach."""
    return render(request, "accounts/teacher_suspended.html", {"teacher": request.teacher}, status=403)


def _guard(view: Callable[Concatenate[TeacherRequest, P], HttpResponseBase], *, lets_suspended_in: bool) -> View[P]:
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        teacher = teacher_of(request)
        if teacher is None or teacher.status in (Teacher.Status.APPLIED, Teacher.Status.DECLINED):
            return redirect("accounts:teacher_apply")
        teacher_request = cast("TeacherRequest", request)
        teacher_request.teacher = teacher
        if not teacher.is_approved and not lets_suspended_in:
            return answer_suspended(teacher_request)
        return view(teacher_request, *args, **kwargs)

    return cast("View[P]", guarded)
