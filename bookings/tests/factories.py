"""Lessons for tests, made through the public functions, so that no test uses an impossible one."""

from datetime import timedelta
from itertools import count

from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.handler import LessonHandler
from bookings.models import LessonOffer, LessonRequest
from bookings.offers import publish_offer, save_offer
from bookings.proposals import Proposal, accept_request
from bookings.requests import Wish, request_lessons
from bookings.slots import Slot
from catalogue.models import Expertise, Subject
from money import Money
from payments.contracts import SoldLine

FORTY_POUNDS = Money(4_000, "GBP")
_numbers = count(1)
_line_ids = count(1_000)
handler = LessonHandler()


def subject(**fields):
    number = next(_numbers)
    return Subject.objects.create(**{"name": f"Subject {number}", "slug": f"subject-{number}", **fields})


def teacher_of(taught, *, levels=("beginner",), **fields):
    teacher = TeacherFactory(**fields)
    Expertise.objects.create(teacher=teacher, subject=taught, levels=list(levels))
    return teacher


def wish(**fields):
    given = {"level": "beginner", "goals": "Play a tune", "region": "GB", **fields}
    return Wish(subject=given.pop("subject", None) or subject(), **given)


def open_request(*, student=None, teacher=None, is_to_any=False, offer=None, **fields):
    return request_lessons(
        student=student or UserFactory(),
        teacher=None if is_to_any else teacher or TeacherFactory(),
        offer=offer,
        wish=wish(**fields),
    )


def slot(*, days=10, hour=10, minutes=60):
    """A slot `days` from now at `hour` UTC."""
    day = (timezone.now() + timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    starts_at = day + timedelta(hours=hour)
    return Slot(starts_at, starts_at + timedelta(minutes=minutes))


def proposal(*slots, price=FORTY_POUNDS, **fields):
    return Proposal(slots=slots or (slot(),), price=price, **{"is_online": True, **fields})


def proposed_lessons(*slots, teacher=None, student=None, **fields):
    request = open_request(teacher=teacher, student=student)
    return accept_request(request_id=request.pk, teacher=request.teacher, proposal=proposal(*slots, **fields))


def proposed_lesson(**fields):
    when = fields.pop("when", None)
    return proposed_lessons(*([when] if when else []), **fields)[0]


def sold_line(lesson, **fields):
    """An order line for the lesson, as payments passes it to the handler."""
    return SoldLine(
        **{
            "id": next(_line_ids),
            "order_number": "L-1",
            "reference": str(lesson.pk),
            "quantity": 1,
            "details": {},
            "title": lesson.title,
            "description": "",
            "buyer_id": lesson.student_id,
            "teacher_id": lesson.teacher_id,
            "amount": lesson.price,
            "policy": dict(lesson.policy),
            **fields,
        }
    )


def soon(minutes=30):
    return timezone.now() + timedelta(minutes=minutes)


def confirmed_lesson(**fields):
    """A paid lesson and its order line."""
    lesson = proposed_lesson(**fields)
    line = sold_line(lesson)
    handler.reserve(line, soon())
    handler.fulfil(line)
    lesson.refresh_from_db()
    return lesson, line


def offer(*, teacher=None, prices=(FORTY_POUNDS,), is_published=True, **fields):
    given = {"levels": ["beginner"], "title": "Cello from the start", "is_online": True, **fields}
    draft = LessonOffer(teacher=teacher or TeacherFactory(), subject=given.pop("subject", None) or subject(), **given)
    saved = save_offer(offer=draft, prices=prices)
    if is_published:
        publish_offer(offer=saved)
        saved.refresh_from_db()
    return saved


def waiting_since(request, *, days):
    then = timezone.now() - timedelta(days=days)
    LessonRequest.objects.filter(pk=request.pk).update(created_at=then, asked_at=then)
