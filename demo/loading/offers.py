"""Load what the demo's teachers sell and what its student has requested."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from accounts.models import Teacher, User
from bookings.models import LessonOffer, LessonRequest
from bookings.offers import publish_offer, save_offer
from bookings.proposals import Proposal, accept_request
from bookings.requests import Wish, request_lessons
from bookings.slots import Slot
from catalogue.models import Subject
from courses.authoring import add_lesson, add_module, add_question, create_course
from courses.models import Course, CourseLesson
from courses.publishing import publish_course
from demo.accounts import STUDENT
from demo.loading.files import QUIZ, WrittenCourse, WrittenLesson, read_courses, read_prices, read_toml
from demo.loading.people import load_person
from money import Money
from workshops.models import Workshop
from workshops.pairing import SessionPlan
from workshops.publishing import PricePlan, publish_workshop, save_workshop

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# How long before a workshop its early-bird price ends.
EARLY_BIRD_ENDS = timedelta(days=7)


def load_courses() -> int:
    """Write and publish the courses; returns how many are new."""
    known = set(Course.objects.values_list("title", flat=True))
    missing = [course for course in read_courses() if course.facts["title"] not in known]
    for course in missing:
        _load_course(course)
    return len(missing)


@transaction.atomic
def _load_course(written: WrittenCourse) -> None:
    facts = written.facts
    course = create_course(
        teacher=_teacher(facts),
        subject=_subject(facts),
        prices=read_prices(facts["prices"]),
        description=written.description,
        is_in_plans=facts.get("is_in_plans", False),
        **{name: facts[name] for name in ("title", "summary", "outcomes", "levels", "language")},
    )
    for written_module in written.modules:
        module = add_module(course=course, title=written_module.title)
        for lesson in written_module.lessons:
            fields = _lesson_fields(lesson) | {"is_free_preview": lesson.title in facts["preview"]}
            added = add_lesson(module=module, fields=fields)
            for question in lesson.questions:
                add_question(lesson=added, fields=question)
    publish_course(course_id=course.pk)


def _lesson_fields(lesson: WrittenLesson) -> dict[str, Any]:
    kind = CourseLesson.Kind.QUIZ if lesson.questions else CourseLesson.Kind.TEXT
    return {
        "title": lesson.title.removeprefix(QUIZ),
        "body": lesson.body,
        "kind": kind,
        "minutes": lesson.minutes,
    }


def load_workshops() -> int:
    """Publish the workshops that are not already scheduled; returns how many. One that is over is scheduled again."""
    ahead = set(Workshop.objects.filter(sessions__ends_at__gt=timezone.now()).values_list("title", flat=True))
    missing = [facts for facts in read_toml("workshops.toml")["workshops"] if facts["title"] not in ahead]
    for facts in missing:
        _load_workshop(facts)
    return len(missing)


@transaction.atomic
def _load_workshop(facts: Mapping[str, Any]) -> None:
    copied = ("title", "summary", "levels", "time_zone", "capacity")
    workshop = Workshop(
        teacher=_teacher(facts),
        subject=_subject(facts),
        description=facts["description"].strip(),
        is_online=facts.get("is_online", False),
        online_url="https://meet.example/lectern-demo" if facts.get("is_online") else "",
        place=facts.get("place", ""),
        address=facts.get("address", ""),
        **{name: facts[name] for name in copied},
    )
    sessions = []
    for days_after, starts, hours in facts["sessions"]:
        starts_at = _moment(facts, starts) + timedelta(days=days_after)
        sessions.append(SessionPlan(starts_at=starts_at, ends_at=starts_at + timedelta(hours=hours)))
    early = facts.get("early_bird", {})
    prices = [
        PricePlan(
            amount=amount,
            early_bird=Money(early[amount.currency], amount.currency) if early else None,
            early_bird_until=sessions[0].starts_at - EARLY_BIRD_ENDS if early else None,
        )
        for amount in read_prices(facts["prices"])
    ]
    publish_workshop(workshop=save_workshop(workshop=workshop, sessions=sessions, prices=prices))


def load_lesson_offers() -> int:
    """Publish the teachers' offers of private lessons; returns how many are new."""
    known = set(LessonOffer.objects.values_list("title", flat=True))
    missing = [facts for facts in read_toml("lessons.toml")["offers"] if facts["title"] not in known]
    for facts in missing:
        place = facts.get("place", "")
        offer = LessonOffer(teacher=_teacher(facts), subject=_subject(facts), place=place)
        for name in ("title", "levels", "minutes", "description"):
            setattr(offer, name, facts[name])
        with transaction.atomic():
            publish_offer(offer=save_offer(offer=offer, prices=read_prices(facts["prices"])))
    return len(missing)


def load_lesson_requests() -> int:
    """Let the student make requests and one teacher accept, so a lesson waits for payment; returns how many are new."""
    student = User.objects.get(email=STUDENT.email)
    # A request is made once; whatever happened to it since was done by visitors.
    known = set(LessonRequest.objects.filter(student=student).values_list("teacher__user__email", flat=True))
    missing = [facts for facts in read_toml("lessons.toml")["requests"] if facts["teacher"] not in known]
    for facts in missing:
        _load_request(student, facts)
    return len(missing)


def load_requests_to_any_teacher() -> int:
    """Let other students ask for any suitable teacher; returns how many requests are new."""
    known = set(LessonRequest.objects.filter(is_to_any_teacher=True).values_list("student__email", flat=True))
    missing = [facts for facts in read_toml("lessons.toml")["requests_to_any"] if facts["email"] not in known]
    for facts in missing:
        with transaction.atomic():
            request_lessons(student=load_person(facts), wish=_wish(facts), teacher=None)
    return len(missing)


@transaction.atomic
def _load_request(student: User, facts: Mapping[str, Any]) -> None:
    teacher = _teacher(facts)
    offer = LessonOffer.objects.filter(teacher=teacher, subject__name=facts["subject"]).first()
    request = request_lessons(student=student, wish=_wish(facts), teacher=teacher, offer=offer)
    if not (accepted := facts.get("accepted")):
        return
    first = _moment(accepted, accepted["at"])
    starts = [first, first + timedelta(days=7)]
    length = timedelta(minutes=offer.minutes if offer else 60)
    proposal = Proposal(
        slots=[Slot(starts_at, starts_at + length) for starts_at in starts],
        price=Money(**accepted["price"]),
        is_online=True,
        meeting_url="https://meet.example/elena",
        note=accepted["note"],
    )
    accept_request(request_id=request.pk, teacher=teacher, proposal=proposal)


def _wish(facts: Mapping[str, Any]) -> Wish:
    copied = ("level", "goals", "region", "preferred_days", "preferred_parts")
    return Wish(subject=_subject(facts), **{name: facts[name] for name in copied})


def _teacher(facts: Mapping[str, Any]) -> Teacher:
    return Teacher.objects.select_related("user").get(user__email=facts["teacher"])


def _subject(facts: Mapping[str, Any]) -> Subject:
    return Subject.objects.get(name=facts["subject"])


def _moment(facts: Mapping[str, Any], at: str) -> datetime:
    """Return the moment of `at` in `time_zone`, on the first `weekday` that is at least `in_days` from today there."""
    there = ZoneInfo(facts["time_zone"])
    day = timezone.now().astimezone(there).date() + timedelta(days=facts["in_days"])
    day += timedelta(days=(WEEKDAYS.index(facts["weekday"]) - day.weekday()) % 7)
    return datetime.combine(day, time.fromisoformat(at), tzinfo=there)
