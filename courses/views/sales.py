"""The public pages of a course: sales page and free previews."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from catalogue.currencies import display_currency, pick_amount
from courses import DOMAIN
from courses.handler import REFUND_TERMS, reason_against_buying
from courses.models import Course, CourseLesson, Enrolment
from courses.outline import outline_of
from courses.quizzes import Quiz, ask_quiz, mark_quiz
from payments.contracts import Item, NotForSale
from payments.visitor_cart import add_for_visitor, quantity_in_cart
from subscriptions.access import plans_with_courses, subscription_opening_courses


@require_safe
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the sales page. Only their teacher can see drafts; withdrawn courses are also visible to their students."""
    course = _visible_course(request, slug)
    is_enrolled = (
        request.user.is_authenticated
        and Enrolment.objects.active().filter(course=course, student=request.user).exists()
    )
    owned = {course.pk} if is_enrolled else set()
    subscription = None
    if course.is_in_plans and course.is_published and request.user.is_authenticated and not is_enrolled:
        subscription = subscription_opening_courses(request.user.pk)
    return render(
        request,
        "courses/course_detail.html",
        {
            "course": course,
            "outline": outline_of(course),
            "price": pick_amount([price.amount for price in course.prices.all()], preferred=display_currency(request)),
            "is_enrolled": is_enrolled,
            "own_plan": subscription.plan if subscription else None,
            "plans": plans_with_courses() if course.is_in_plans and course.is_published else [],
            "is_own": course.teacher.user_id == request.user.pk,
            "can_be_given": not reason_against_buying(course, request.user.pk, set()),
            "can_be_bought": not reason_against_buying(course, request.user.pk, owned),
            "is_in_cart": quantity_in_cart(request, domain=DOMAIN, reference=str(course.pk)) > 0,
            "policy": REFUND_TERMS,
            "item_teacher": course.teacher,
            "item_subject": course.subject,
        },
    )


@require_POST
def put_in_cart(request: HttpRequest, slug: str) -> HttpResponse:
    """Add the course to the cart, or show on its page why it cannot be bought."""
    course = _visible_course(request, slug)
    try:
        add_for_visitor(request, Item(domain=DOMAIN, reference=str(course.pk)))
    except NotForSale as refused:
        messages.error(request, str(refused))
        return redirect(course)
    messages.success(request, f"“{course.title}” is in your cart.")
    return redirect("payments:cart")


@require_safe
def preview(request: HttpRequest, slug: str, lesson_id: int) -> HttpResponse:
    """Show a free preview."""
    course = _visible_course(request, slug)
    lesson = _preview_lesson(course, lesson_id)
    return _render_preview(request, course, lesson, ask_quiz(lesson.questions.all()))


@require_POST
def preview_answers(request: HttpRequest, slug: str, lesson_id: int) -> HttpResponse:
    """Show the free preview with its quiz marked."""
    course = _visible_course(request, slug)
    lesson = _preview_lesson(course, lesson_id)
    return _render_preview(request, course, lesson, mark_quiz(lesson.questions.all(), request.POST))


def _visible_course(request: HttpRequest, slug: str) -> Course:
    courses = Course.objects.visible_to(request.user).select_related("teacher", "subject")
    return get_object_or_404(courses, slug=slug)


def _preview_lesson(course: Course, lesson_id: int) -> CourseLesson:
    lessons = CourseLesson.objects.select_related("module").prefetch_related("questions")
    lesson = lessons.filter(pk=lesson_id, module__course=course, is_free_preview=True).first()
    if lesson is None:
        raise Http404
    return lesson


def _render_preview(request: HttpRequest, course: Course, lesson: CourseLesson, quiz: Quiz) -> HttpResponse:
    return render(request, "courses/lesson_preview.html", {"course": course, "lesson": lesson, "quiz": quiz})
