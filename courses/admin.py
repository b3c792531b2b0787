"""Courses and enrolments in the admin. Courses go on and off sale only by actions, enrolments change only by orders.

Staff's changes are saved by the functions of `courses.authoring`, like teachers' changes.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.labelled_inline import LabelledInline
from accounts.sold_admin import SoldAdmin, Tables
from courses import authoring
from courses.authoring import TooMany, WouldBreakPublished
from courses.form_fields import ChoicesField, OutcomesField
from courses.models import Course, CourseLesson, CoursePrice, Enrolment, Module, QuizQuestion
from courses.publishing import CannotPublish, publish_course, withdraw_course
from jobs.read_only_admin import ReadOnlyAdmin
from money.price_rows import PriceRowForm
from payments.order_links import order_link, with_order_numbers

_ENROLMENT_STATES = {
    Enrolment.State.ACTIVE: "Has the course",
    Enrolment.State.HELD: "Being paid",
    Enrolment.State.RELEASED: "Not paid",
    Enrolment.State.REVOKED: "Taken back",
}
_NEEDED = {CourseLesson.Kind.TEXT: "body", CourseLesson.Kind.VIDEO: "video_url"}


class PositionedForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A row with a position. A position that is taken is not an error: the row there makes room."""

    def _get_validation_exclusions(self) -> set[str]:
        return {*super()._get_validation_exclusions(), "position"}  # type: ignore[misc]  # missing in the stubs


class CourseAdminForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Has one outcome per line: Django's own field for lists would split texts at commas."""

    outcomes = OutcomesField(widget=UnfoldAdminTextareaWidget())


class QuizQuestionForm(PositionedForm):
    """Has one choice per line, for the same reason."""

    choices = ChoicesField(widget=UnfoldAdminTextareaWidget())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        choices, right = cleaned.get("choices"), cleaned.get("right_choice")
        if choices is not None and right is not None and not right < len(choices):
            self.add_error("right_choice", f"There are {len(choices)} choices, counted from 0.")
        if choices is not None and len(choices) == 1:
            self.add_error("choices", "Give at least two choices.")
        return cleaned


class CourseLessonForm(PositionedForm):
    """Requires the fields that the lesson's kind needs. The database does so too, but without a message for staff."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        needed = _NEEDED.get(CourseLesson.Kind(self.instance.kind), "")
        if cleaned.get(needed) == "":
            self.add_error(needed, f"A {self.instance.kind} lesson needs this.")
        if self.instance.kind == CourseLesson.Kind.FILE and cleaned.get("is_free_preview"):
            self.add_error("is_free_preview", "Files can be downloaded only by enrolled students.")
        return cleaned


class CoursePriceInline(LabelledInline):
    model = CoursePrice
    form = PriceRowForm
    extra = 0


class ModuleInline(LabelledInline):
    model = Module
    form = PositionedForm
    extra = 0
    can_delete = False
    show_change_link = True


class CourseLessonInline(LabelledInline):
    model = CourseLesson
    form = CourseLessonForm
    fields = ["position", "title", "kind", "is_free_preview", "minutes"]
    readonly_fields = ["kind"]
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The required fields depend on the lesson's kind, so lessons are added on their own page."""
        return False


class QuizQuestionInline(LabelledInline):
    model = QuizQuestion
    form = QuizQuestionForm
    extra = 0


@admin.register(Course)
class CourseAdmin(SoldAdmin):
    form = CourseAdminForm
    refusals = (WouldBreakPublished, TooMany)
    list_display = ["title", "teacher", "subject", "shown_state", "lessons", "enrolled", "published_at"]
    list_filter = ["state", "is_in_plans", "subject", "language"]
    list_select_related = ["teacher", "subject"]
    search_fields = ["title__resembles", "slug", "teacher__display_name__resembles", "teacher__user__email"]
    autocomplete_fields = ["teacher"]
    # Mails and receipts link to the slug, so it is made from the title at creation and never changes.
    readonly_fields = ["slug", "state", "created_at", "published_at"]
    inlines = [CoursePriceInline, ModuleInline]
    actions = ["publish", "withdraw"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Course]:
        return Course.objects.filter(pk__in=super().get_queryset(request)).with_counts()

    def save_sold(self, *, sold: Course, form: forms.ModelForm[Course], tables: Tables) -> None:
        prices = tables.prices_of(CoursePrice, stored=CoursePrice.objects.filter(course_id=sold.pk))
        if sold.pk:
            changes = {name: getattr(sold, name) for name in form.changed_data}
            authoring.change_course(course=sold, prices=prices, changes=changes)
        else:
            fields = {name: getattr(sold, name) for name in form.cleaned_data}
            made = authoring.create_course(prices=prices, **fields)
            sold.pk, sold.slug = made.pk, made.slug
        modules = tables.changes_of(Module)
        positions: dict[int, int] = {}
        for module, changed in modules.changed:
            authoring.rename_module(module=module, title=module.title)
            positions |= _moved(module, changed)
        for row in modules.added:
            positions[authoring.add_module(course=sold, title=row["title"]).pk] = row["position"]
        authoring.order_modules(course=sold, positions=positions)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Orders refer to courses, so staff withdraw them instead."""
        return False

    def is_on_site(self, course: Course) -> bool:
        return course.state == Course.State.PUBLISHED and course.teacher.is_approved

    @display(
        description="State",
        ordering="state",
        label={"published": "success", "draft": "info", "withdrawn": "warning", "closed": "danger"},
    )
    def shown_state(self, course: Course) -> tuple[str, str]:
        return course.state, course.get_state_display()

    @admin.display(ordering="lesson_count")
    def lessons(self, course: Course) -> int:
        return int(course.lesson_count)  # type: ignore[attr-defined]  # annotated in get_queryset

    @admin.display(ordering="enrolled_count")
    def enrolled(self, course: Course) -> int:
        return int(course.enrolled_count)  # type: ignore[attr-defined]  # annotated in get_queryset

    @admin.action(description="Publish: put on sale", permissions=["change"])
    def publish(self, request: HttpRequest, courses: QuerySet[Course]) -> None:
        for course in courses:
            try:
                publish_course(course_id=course.pk)
            except CannotPublish as refused:
                self.message_user(request, f"{course}: {refused}", messages.ERROR)
            else:
                self.message_user(request, f"{course} is for sale.", messages.SUCCESS)

    @admin.action(description="Withdraw: take off sale, students keep it", permissions=["change"])
    def withdraw(self, request: HttpRequest, courses: QuerySet[Course]) -> None:
        for course in courses:
            withdraw_course(course_id=course.pk)
            self.message_user(request, f"{course} is not for sale.", messages.SUCCESS)


@admin.register(Module)
class ModuleAdmin(SoldAdmin):
    form = PositionedForm
    kept_once_made = ()
    list_display = ["title", "course", "position"]
    list_select_related = ["course"]
    search_fields = ["title__resembles", "course__title__resembles"]
    readonly_fields = ["course"]
    inlines = [CourseLessonInline]

    def save_sold(self, *, sold: Module, form: forms.ModelForm[Module], tables: Tables) -> None:
        authoring.rename_module(module=sold, title=sold.title)
        authoring.order_modules(course=sold.course, positions=_moved(sold, form.changed_data))
        positions: dict[int, int] = {}
        for lesson, changed in tables.changes_of(CourseLesson).changed:
            authoring.change_lesson(lesson=lesson, fields=_without_position(changed))
            positions |= _moved(lesson, changed)
        authoring.order_lessons(module=sold, positions=positions)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Modules are added on the course's page."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CourseLesson)
class CourseLessonAdmin(SoldAdmin):
    form = CourseLessonForm
    refusals = (TooMany,)
    kept_once_made = ()
    list_display = ["title", "module", "course", "kind", "is_free_preview", "minutes"]
    list_filter = ["kind", "is_free_preview"]
    list_select_related = ["module__course"]
    search_fields = ["title__resembles", "module__title__resembles", "module__course__title__resembles"]
    # Only the file's name is shown: it has no public address, and a new file must pass the checks of teachers' uploads.
    fields = ["module", "title", "position", "kind", "body", "video_url", "file_name", "is_free_preview", "minutes"]
    readonly_fields = ["module", "kind", "file_name"]

    def get_inlines(self, request: HttpRequest, obj: CourseLesson | None) -> list[type[LabelledInline]]:
        return [QuizQuestionInline] if obj and obj.kind == CourseLesson.Kind.QUIZ else []

    def save_sold(self, *, sold: CourseLesson, form: forms.ModelForm[CourseLesson], tables: Tables) -> None:
        changes = {name: getattr(sold, name) for name in form.changed_data}
        authoring.change_lesson(lesson=sold, fields=_without_position(changes))
        authoring.order_lessons(module=sold.module, positions=_moved(sold, changes))
        questions = tables.changes_of(QuizQuestion)
        positions: dict[int, int] = {}
        for question in questions.deleted:
            authoring.delete_question(question=question)
        for question, changed in questions.changed:
            authoring.change_question(question=question, fields=_without_position(changed))
            positions |= _moved(question, changed)
        for row in questions.added:
            added = authoring.add_question(lesson=sold, fields=_without_position(row))
            positions[added.pk] = row["position"]
        authoring.order_questions(lesson=sold, positions=positions)

    @admin.display(ordering="module__course__title")
    def course(self, lesson: CourseLesson) -> Course:
        return lesson.module.course

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Teachers add and delete lessons; staff only correct them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Enrolment)
class EnrolmentAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Read-only, because enrolments change only through orders and refunds."""

    list_display = ["student", "course", "shown_state", "order", "activated_at", "revoked_at"]
    fields = readonly_fields = [
        "student", "course", "shown_state", "order", "activated_at", "held_until", "revoked_at",
    ]  # fmt: skip
    list_filter = ["state"]
    list_select_related = ["student", "course"]
    search_fields = ["student__email", "student__full_name__resembles", "course__title__resembles", "=order_line_id"]
    date_hierarchy = "activated_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrolment]:
        enrolments: QuerySet[Enrolment] = super().get_queryset(request)
        return with_order_numbers(enrolments)

    @display(
        description="State",
        ordering="state",
        label={"active": "success", "held": "info", "released": "warning", "revoked": "danger"},
    )
    def shown_state(self, enrolment: Enrolment) -> tuple[str, str]:
        return enrolment.state, _ENROLMENT_STATES[Enrolment.State(enrolment.state)]

    @display(description="Order")
    def order(self, enrolment: Any) -> str:
        return order_link(enrolment.order_id, enrolment.order_number)


def _without_position(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "position"}


def _moved(row: Module | CourseLesson | QuizQuestion, changed: Container[str]) -> dict[int, int]:
    """The new position of a row by its primary key; empty if it did not change."""
    return {row.pk: row.position} if "position" in changed else {}
