"""Which courses can be published, and that the catalogue always agrees."""

import pytest

from catalogue.models import Listing, Subject
from courses import authoring
from courses.models import Course, CourseLesson
from courses.publishing import CannotPublish, publish_course, withdraw_course
from courses.tests.factories import add_lesson, draft_course, only_lesson, published_course
from money import Money

pytestmark = pytest.mark.django_db


def changed(course, **changes):
    prices = changes.pop("prices", [price.amount for price in course.prices.all()])
    return authoring.change_course(course=course, prices=prices, changes=changes)


@pytest.mark.parametrize(
    ("missing", "reason"),
    [({"lessons": 0}, "at least one lesson"), ({"prices": []}, "Set a price"), ({"lessons": 0, "prices": []}, "price")],
)
def test_a_course_without_lesson_or_price_is_not_published(missing, reason):
    course = draft_course(**missing)
    with pytest.raises(CannotPublish, match=reason):
        publish_course(course_id=course.pk)
    course.refresh_from_db()
    assert course.state == Course.State.DRAFT
    assert not Listing.objects.exists()


def test_a_quiz_without_questions_is_not_published():
    course = draft_course(kinds=["quiz"])
    authoring.delete_question(question=only_lesson(course).questions.get())
    with pytest.raises(CannotPublish, match="has no question"):
        publish_course(course_id=course.pk)


def test_a_published_course_is_listed_with_all_searchable_fields():
    subject = Subject.objects.create(name="Lute tuning", slug="lute-tuning")
    course = published_course(
        subject=subject, levels=["beginner"], language="fr", prices=[Money(100, "GBP"), Money(9_000, "JPY")]
    )
    listing = Listing.objects.get()
    assert (listing.domain, listing.reference, listing.kind_label) == ("courses", str(course.pk), "Course")
    assert (listing.url, listing.title, listing.summary) == (f"/courses/{course.slug}/", course.title, course.summary)
    assert (listing.subject, listing.levels, listing.language, listing.is_online) == (subject, ["beginner"], "fr", True)
    assert {price.amount for price in listing.prices.all()} == {Money(100, "GBP"), Money(9_000, "JPY")}


def test_drafts_are_not_listed_after_changes():
    changed(draft_course(), title="Another title")
    assert not Listing.objects.exists()


def test_a_change_to_a_course_on_sale_updates_the_catalogue():
    course = published_course()
    changed(course, title="Reading more music", prices=[Money(5_900, "EUR")])
    listing = Listing.objects.get()
    assert listing.title == "Reading more music"
    assert [price.amount for price in listing.prices.all()] == [Money(5_900, "EUR")]


def test_withdrawing_removes_the_listing_and_publishing_again_restores_it():
    course = published_course()
    first_published_at = course.published_at
    withdraw_course(course_id=course.pk)
    withdraw_course(course_id=course.pk)
    assert not Listing.objects.exists()
    course = publish_course(course_id=course.pk)
    assert publish_course(course_id=course.pk).state == Course.State.PUBLISHED
    assert Listing.objects.count() == 1
    assert course.published_at > first_published_at


def test_a_withdrawn_draft_stays_a_draft():
    assert withdraw_course(course_id=draft_course().pk).state == Course.State.DRAFT


def test_a_course_on_sale_must_keep_a_lesson_and_a_price():
    course = published_course()
    with pytest.raises(authoring.WouldBreakPublished, match="Set a price"):
        changed(course, prices=[])
    with pytest.raises(authoring.WouldBreakPublished, match="at least one lesson"):
        authoring.delete_lesson(lesson=only_lesson(course))
    with pytest.raises(authoring.WouldBreakPublished):
        authoring.delete_module(module=course.modules.get())
    assert CourseLesson.objects.count() == 1
    assert course.prices.count() == 1


def test_a_quiz_added_to_a_course_on_sale_does_not_block_other_changes():
    course = published_course()
    quiz = add_lesson(module=course.modules.get(), kind="quiz")
    authoring.delete_question(question=quiz.questions.get())
    assert changed(course, title="New title").title == "New title"
