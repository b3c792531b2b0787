"""Make a crowd of students who each want a lesson, two workshop places and a course. Runs as its own process.

Prints one JSON object: the students (each with a session cookie, since signing in is not measured) and what there is
to buy. Everything is made through the domains' public functions.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import timedelta
from importlib import import_module
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402  # Django must know its settings first
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.addresses import record_verified_address  # noqa: E402
from accounts.models import Teacher, User  # noqa: E402
from bookings.proposals import Proposal, accept_request  # noqa: E402
from bookings.requests import Wish, request_lessons  # noqa: E402
from bookings.slots import Slot  # noqa: E402
from catalogue.models import Expertise, Subject  # noqa: E402
from courses.authoring import add_lesson, add_module, create_course  # noqa: E402
from courses.models import Course  # noqa: E402
from courses.publishing import publish_course  # noqa: E402
from money import Money  # noqa: E402
from workshops.models import Workshop  # noqa: E402
from workshops.pairing import SessionPlan  # noqa: E402
from workshops.publishing import PricePlan, publish_workshop, save_workshop  # noqa: E402

PRICE = Money(2500, "GBP")


def main() -> None:
    """Make the crowd and print it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("students", type=int)
    parser.add_argument("places", type=int, help="how many workshop places there are for all of them")
    parser.add_argument("--name", default="crowd", help="tells one crowd's addresses from another's")
    asked = parser.parse_args()
    subject, _ = Subject.objects.get_or_create(name="Timing", slug="timing")
    teacher = _make_teacher(asked.name, subject)
    start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=30)
    workshop = _make_workshop(teacher, subject, asked.places, start)
    course = _make_course(teacher, subject)
    students = [
        _make_student(f"{asked.name}-{number}", teacher, subject, start + timedelta(days=7, hours=number))
        for number in range(asked.students)
    ]
    crowd = {"workshop": str(workshop.pk), "course": str(course.pk), "teacher": teacher.pk, "students": students}
    sys.stdout.write(json.dumps(crowd) + "\n")


def _make_teacher(name: str, subject: Subject) -> Teacher:
    user = User.objects.create_user(f"{name}-teacher@crowd.example", full_name="Tess Tempo")
    teacher = Teacher.objects.create(
        user=user, slug=f"{name}-teacher", status=Teacher.Status.APPROVED, display_name="Tess Tempo", languages=["en"]
    )
    Expertise.objects.create(teacher=teacher, subject=subject, levels=["beginner"])
    return teacher


def _make_workshop(teacher: Teacher, subject: Subject, places: int, start: Any) -> Workshop:
    workshop = Workshop(
        teacher=teacher,
        subject=subject,
        title="Keeping time",
        summary="A day with a metronome.",
        levels=["beginner"],
        capacity=places,
        is_online=True,
        online_url="https://meet.example/time",
        time_zone="Europe/London",
    )
    session = SessionPlan(starts_at=start, ends_at=start + timedelta(hours=3))
    publish_workshop(workshop=save_workshop(workshop=workshop, sessions=[session], prices=[PricePlan(amount=PRICE)]))
    return workshop


def _make_course(teacher: Teacher, subject: Subject) -> Course:
    course = create_course(
        teacher=teacher, prices=[PRICE], subject=subject, title="Counting", summary="From one to many."
    )
    module = add_module(course=course, title="One")
    add_lesson(module=module, fields={"title": "One", "kind": "text", "body": "One is where it starts."})
    return publish_course(course_id=course.pk)


def _make_student(name: str, teacher: Teacher, subject: Subject, starts_at: Any) -> dict[str, str]:
    student = User.objects.create_user(f"{name}@crowd.example", full_name=name)
    record_verified_address(student)
    wish = Wish(
        subject=subject, level="beginner", goals="To be on time.", region="", preferred_days=[], preferred_parts=[]
    )
    request = request_lessons(student=student, wish=wish, teacher=teacher, offer=None)
    proposal = Proposal(
        slots=[Slot(starts_at, starts_at + timedelta(minutes=45))],
        price=PRICE,
        is_online=True,
        meeting_url="https://meet.example/lesson",
    )
    (lesson,) = accept_request(request_id=request.pk, teacher=teacher, proposal=proposal)
    return {"email": student.email, "session": _sign_in(student), "lesson": str(lesson.pk)}


def _sign_in(user: User) -> str:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


if __name__ == "__main__":
    main()
