"""Courses and enrolments for staff. Whether a course is on sale and who has it changes through actions and orders only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.labelled_inline import LabelledInline
from accounts.sold_admin import SoldAdmin, Tables
from courses.authoring import WouldBreakPublished, change_course
from courses.models import Course, CourseLesson, CoursePrice, Enrolment, Module, QuizQuestion
from courses.publishing import CannotPublish, lock_course, publish_course, withdraw_course
from jobs.read_only_admin import ReadOnlyAdmin


class CoursePriceInline(LabelledInline):
    model = CoursePrice
    extra = 0


class ModuleInline(LabelledInline):
    model = Module
    extra = 0
    can_delete = False
    show_change_link = True


class CourseLessonInline(LabelledInline):
    model = CourseLesson
    fields = ["position", "title", "kind", "is_free_preview", "minutes"]
    readonly_fields = ["kind"]
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A lesson needs what its kind asks for; its own page has room for that."""
        return False


class QuizQuestionInline(LabelledInline):
    model = QuizQuestion
    extra = 0


@admin.register(Course)
class CourseAdmin(SoldAdmin):
    refusals = (WouldBreakPublished,)
    list_display = ["title", "teacher", "subject", "state", "lessons", "enrolled", "published_at"]
    list_filter = ["state", "subject", "language"]
    list_select_related = ["teacher", "subject"]
    search_fields = ["title", "slug", "teacher__display_name", "teacher__user__email"]
    autocomplete_fields = ["teacher"]
    readonly_fields = ["state", "created_at", "published_at"]
    inlines = [CoursePriceInline, ModuleInline]
    actions = ["publish", "withdraw"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Course]:
        return Course.objects.filter(pk__in=super().get_queryset(request)).with_counts()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Mails and receipts link to the slug, so it does not change once there is a course."""
        return [*super().get_readonly_fields(request, obj), *(["slug"] if obj else [])]

    def save_sold(self, *, sold: Course, form: ModelForm[Course], tables: Tables) -> None:
        if not sold.pk:
            sold.save()
        modules = tables.formset_of(Module)
        if modules is not None:
            lock_course(sold.pk)
            modules.save()
        changes = {name: getattr(sold, name) for name in form.changed_data}
        stored = CoursePrice.objects.filter(course_id=sold.pk)
        change_course(course=sold, prices=tables.prices_of(CoursePrice, stored=stored), changes=changes)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A course that was ever sold stays; withdrawing takes any course out of sight."""
        return False

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
class ModuleAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    list_display = ["title", "course", "position"]
    list_select_related = ["course"]
    search_fields = ["title", "course__title"]
    readonly_fields = ["course"]
    inlines = [CourseLessonInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """On the course's page."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CourseLesson)
class CourseLessonAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    list_display = ["title", "module", "course", "kind", "is_free_preview", "minutes"]
    list_filter = ["kind", "is_free_preview"]
    list_select_related = ["module__course"]
    search_fields = ["title", "module__title", "module__course__title"]
    # The file is shown by name only: it has no public address, and a new one must pass the teacher's upload checks.
    fields = ["module", "title", "position", "kind", "body", "video_url", "file_name", "is_free_preview", "minutes"]
    readonly_fields = ["module", "kind", "file_name"]
    inlines = [QuizQuestionInline]

    @admin.display(ordering="module__course__title")
    def course(self, lesson: CourseLesson) -> Course:
        return lesson.module.course

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Teachers write lessons and take them away; staff correct them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Enrolment)
class EnrolmentAdmin(ReadOnlyAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Read only: enrolments follow from orders and refunds."""

    list_display = ["student", "course", "state", "order_line_id", "activated_at", "revoked_at"]
    list_filter = ["state"]
    list_select_related = ["student", "course"]
    search_fields = ["student__email", "student__full_name", "course__title", "=order_line_id"]
    date_hierarchy = "activated_at"
