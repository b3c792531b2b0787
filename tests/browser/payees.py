"""Teachers with earnings and staff who may pay them, made in the running site's own database by a management command."""

import json
import uuid
from datetime import timedelta

import time_machine
from django.db import transaction
from django.utils import timezone

from accounts.addresses import record_verified_address
from accounts.models import Teacher, User
from courses.tests.factories import published_course
from ledger.entries import AccountKind, credit, debit
from ledger.journals import record_journal
from money import Money
from payments.earnings.maturing import mature_earning
from payments.models import OrderLine
from tests.browser.people import sign_in

EARNED = Money(9000, "USD")
COURSE = "Watercolour by the sea"
COURSE_PRICE = Money(10_000, "USD")
HOLDING_TIME_OVER = timedelta(days=400)


@transaction.atomic
def print_payee():
    """Make a teacher with 90.00 USD available, and print them and a member of staff as one line of JSON."""
    teacher = _make_teacher()
    entries = [
        debit(AccountKind.STRIPE_CLEARING, EARNED),
        credit(AccountKind.TEACHER_AVAILABLE, EARNED, teacher.pk),
    ]
    record_journal(source=f"test:{teacher.slug}", kind="test", entries=entries)
    _print_people(teacher)


@transaction.atomic
def print_seller():
    """Make a teacher with a course for 100.00 USD, and print them, it and a member of staff as one line of JSON."""
    teacher = _make_teacher()
    course = published_course(teacher=teacher, title=COURSE, prices=(COURSE_PRICE,))
    _print_people(teacher, course=course.slug)


def mature_order(number):
    """Make the shares of an order available, as after its holding time."""
    with time_machine.travel(timezone.now() + HOLDING_TIME_OVER):
        for line in OrderLine.objects.filter(order__number=number):
            assert mature_earning(line.pk)


def _make_teacher():
    name = uuid.uuid4().hex[:8]
    user = User.objects.create_user(f"payee-{name}@journeys.example", full_name=f"Payee {name}")
    record_verified_address(user)
    return Teacher.objects.create(
        user=user, slug=f"payee-{name}", display_name=f"Payee {name}", status=Teacher.Status.APPROVED
    )


def _print_people(teacher, **more):
    staff = User.objects.create_user(
        f"finance-{teacher.slug}@journeys.example", full_name="Fay Nance", is_staff=True, is_superuser=True
    )
    record_verified_address(staff)
    made = {"name": teacher.display_name, "teacher": sign_in(teacher.user), "staff": sign_in(staff)}
    print(json.dumps({**made, "email": teacher.user.email, **more}))  # noqa: T201
