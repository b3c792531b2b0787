"""Pages for teachers to edit modules, lessons and questions."""

from __future__ import annotations

from typing import Literal

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.confirmation_page import ask_first
from accounts.guards import TeacherRequest, teacher_required
from courses import authoring
from courses.authoring import TooMany, WouldBreakPublished
from courses.forms import LessonForm, ModuleForm, QuestionForm
from courses.models import Course, CourseLesson, Module, QuizQuestion
from courses.views.desk import own_course
from uploads.storage import NotStored


@teacher_required
@require_POST
def module_add(request: TeacherRequest, course_id: int) -> HttpResponse:
    course = own_course(request, course_id)
    form = ModuleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "A module needs a title of at most 120 characters.")
        return _to_outline(course)
    try:
        authoring.add_module(course=course, title=form.cleaned_data["title"])
    except TooMany as refused:
        messages.error(request, str(refused))
    return _to_outline(course)


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def module_edit(request: TeacherRequest, course_id: int, module_id: int) -> HttpResponse:
    module = _own_module(request, course_id, module_id)
    form = ModuleForm(request.POST or None, initial={"title": module.title})
    if request.method == "POST" and form.is_valid():
        authoring.rename_module(module=module, title=form.cleaned_data["title"])
        return _to_outline(module.course)
    return render(
        request, "courses/module_edit.html", {"form": form, "module": module, "heading": f"Rename {module.title}"}
    )


@teacher_required
@require_POST
def module_move(request: TeacherRequest, course_id: int, module_id: int) -> HttpResponse:
    module = _own_module(request, course_id, module_id)
    direction = _direction(request)
    if direction is None:
        return HttpResponse("Move up or down.", status=400)
    authoring.move_module(module=module, direction=direction)
    return _to_outline(module.course)


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def module_delete(request: TeacherRequest, course_id: int, module_id: int) -> HttpResponse:
    module = _own_module(request, course_id, module_id)
    if request.method == "POST":
        try:
            authoring.delete_module(module=module)
        except WouldBreakPublished as refused:
            messages.error(request, str(refused))
        return _to_outline(module.course)
    return _confirm_deletion(
        request, module.course, f"Delete the module “{module.title}”?", "Its lessons and their files are deleted too."
    )


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def lesson_create(request: TeacherRequest, course_id: int, module_id: int, kind: str) -> HttpResponse:
    module = _own_module(request, course_id, module_id)
    if kind not in CourseLesson.Kind.values:
        raise Http404
    form = LessonForm(request.POST or None, request.FILES or None, kind=kind)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            lesson = authoring.add_lesson(module=module, fields={"kind": kind, **form.lesson_fields})
        except TooMany as refused:
            form.add_error(None, str(refused))
        except NotStored as failure:
            form.add_error("file", str(failure))
            status = 503
        else:
            messages.success(request, f"“{lesson.title}” is added.")
            return _to_lesson(lesson) if kind == CourseLesson.Kind.QUIZ else _to_outline(module.course)
    heading = f"New {CourseLesson.Kind(kind).label.lower()} lesson in {module.title}"
    context = {"form": form, "course": module.course, "heading": heading}
    return render(request, "courses/lesson_edit.html", context, status=status)


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def lesson_edit(request: TeacherRequest, course_id: int, lesson_id: int) -> HttpResponse:
    lesson = _own_lesson(request, course_id, lesson_id)
    form = LessonForm(request.POST or None, request.FILES or None, kind=lesson.kind, lesson=lesson)
    if request.method == "POST" and form.is_valid():
        try:
            authoring.change_lesson(lesson=lesson, fields=form.lesson_fields)
        except NotStored as failure:
            form.add_error("file", str(failure))
            return _render_lesson(request, lesson, form, QuestionForm(), status=503)
        messages.success(request, "Saved.")
        return _to_outline(lesson.module.course)
    return _render_lesson(request, lesson, form, QuestionForm())


@teacher_required
@require_POST
def lesson_move(request: TeacherRequest, course_id: int, lesson_id: int) -> HttpResponse:
    lesson = _own_lesson(request, course_id, lesson_id)
    direction = _direction(request)
    if direction is None:
        return HttpResponse("Move up or down.", status=400)
    authoring.move_lesson(lesson=lesson, direction=direction)
    return _to_outline(lesson.module.course)


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def lesson_delete(request: TeacherRequest, course_id: int, lesson_id: int) -> HttpResponse:
    lesson = _own_lesson(request, course_id, lesson_id)
    course = lesson.module.course
    if request.method == "POST":
        try:
            authoring.delete_lesson(lesson=lesson)
        except WouldBreakPublished as refused:
            messages.error(request, str(refused))
        return _to_outline(course)
    return _confirm_deletion(
        request, course, f"Delete the lesson “{lesson.title}”?", "Students who have the course lose it too."
    )


@teacher_required
@require_POST
def question_add(request: TeacherRequest, course_id: int, lesson_id: int) -> HttpResponse:
    lesson = _own_lesson(request, course_id, lesson_id)
    if lesson.kind != CourseLesson.Kind.QUIZ:
        raise Http404
    form = QuestionForm(request.POST)
    if form.is_valid():
        try:
            authoring.add_question(lesson=lesson, fields=form.cleaned_data)
        except TooMany as refused:
            form.add_error(None, str(refused))
        else:
            return _to_lesson(lesson)
    return _render_lesson(request, lesson, LessonForm(kind=lesson.kind, lesson=lesson), form)


@teacher_required
@require_http_methods(["GET", "HEAD", "POST"])
def question_delete(request: TeacherRequest, course_id: int, lesson_id: int, question_id: int) -> HttpResponse:
    lesson = _own_lesson(request, course_id, lesson_id)
    question = get_object_or_404(QuizQuestion, lesson=lesson, pk=question_id)
    if request.method == "POST":
        authoring.delete_question(question=question)
        return _to_lesson(lesson)
    return ask_first(
        request,
        question=f"Delete the question “{question.text}”?",
        consequence="Its choices and its explanation are deleted too. This cannot be undone.",
        action="Delete",
        back=reverse("courses:lesson_edit", args=[course_id, lesson_id]),
    )


def _own_module(request: TeacherRequest, course_id: int, module_id: int) -> Module:
    return get_object_or_404(
        Module.objects.select_related("course"), course=course_id, course__teacher=request.teacher, pk=module_id
    )


def _own_lesson(request: TeacherRequest, course_id: int, lesson_id: int) -> CourseLesson:
    lessons = CourseLesson.objects.select_related("module__course")
    return get_object_or_404(lessons, module__course=course_id, module__course__teacher=request.teacher, pk=lesson_id)


def _direction(request: HttpRequest) -> Literal["up", "down"] | None:
    match request.POST.get("direction"):
        case "up":
            return "up"
        case "down":
            return "down"
        case _:
            return None


def _to_outline(course: Course) -> HttpResponse:
    return redirect("courses:course_outline", course.pk)


def _to_lesson(lesson: CourseLesson) -> HttpResponse:
    return redirect("courses:lesson_edit", lesson.module.course_id, lesson.pk)


def _render_lesson(
    request: HttpRequest, lesson: CourseLesson, form: LessonForm, question_form: QuestionForm, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "question_form": question_form,
        "lesson": lesson,
        "questions": lesson.questions.all(),
        "course": lesson.module.course,
        "heading": f"Edit {lesson.title}",
    }
    return render(request, "courses/lesson_edit.html", context, status=status)


def _confirm_deletion(request: HttpRequest, course: Course, question: str, consequence: str) -> HttpResponse:
    back = reverse("courses:course_outline", args=[course.pk])
    return ask_first(request, question=question, consequence=consequence, action="Delete", back=back)
