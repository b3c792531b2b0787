"""Students for the browser tests, made in the running site's own database by a management command.

Each is signed in and has one lesson proposed by Elena Marchetti, which can be added to the cart.
"""

import json
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.addresses import record_verified_address
from accounts.models import Teacher, User
from bookings.models import LessonRequest
from bookings.proposals import Proposal, accept_request
from bookings.requests import Wish, request_lessons
from bookings.slots import Slot
from catalogue.models import Subject
from demo.accounts import TEACHER
from money import Money
from tests.browser.shopper import PASSWORD
from workshops.models import Workshop

FIRST_LESSON_AHEAD = timedelta(days=20)
LESSON_LENGTH = timedelta(minutes=50)
LESSON_PRICE = Money(3800, "GBP")
PLACES = 300


def print_students(count):
    """Make students and print them as one line of JSON: email, session, request_id and lesson_id of each."""
    teacher = Teacher.objects.select_related("user").get(user__email=TEACHER.email)
    # The tests take more places than the demo offers.
    Workshop.objects.filter(capacity__lt=PLACES).update(capacity=PLACES)
    known = User.objects.filter(email__endswith="@journeys.example").count()
    print(json.dumps([make_student(number, teacher) for number in range(known, known + count)]))  # noqa: T201


@transaction.atomic
def make_student(number, teacher):
    student = User.objects.create_user(f"student-{number}@journeys.example", PASSWORD, full_name=f"Student {number}")
    record_verified_address(student)
    wish = Wish(
        subject=Subject.objects.get(name="Italian"),
        level="beginner",
        goals="Order coffee without pointing.",
        meeting=LessonRequest.Meeting.ONLINE,
        region="GB",
    )
    request = request_lessons(student=student, wish=wish, teacher=teacher)
    starts_at = timezone.now().replace(minute=0, second=0, microsecond=0) + FIRST_LESSON_AHEAD
    # Each student has different hours, so that none takes another's slot.
    starts_at += timedelta(hours=number)
    slot = Slot(starts_at, starts_at + LESSON_LENGTH)
    proposal = Proposal(slots=[slot], price=LESSON_PRICE, is_online=True, meeting_url="https://meet.example/elena")
    [lesson] = accept_request(request_id=request.pk, teacher=teacher, proposal=proposal)
    return {
        "email": student.email,
        "session": sign_in(student),
        "request_id": request.pk,
        "lesson_id": lesson.pk,
    }


def sign_in(user):
    """Return the key of a signed-in session, for a browser's cookie."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value
