"""Workshops and order lines for tests, made the way the site makes them."""

import itertools
from datetime import timedelta

from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from catalogue.models import Subject
from money import Money
from payments.contracts import SoldLine
from workshops.models import Workshop
from workshops.publishing import PricePlan, SessionPlan, publish_workshop, save_workshop
from workshops.refund_policy import policy_to_freeze

_line_ids = itertools.count(1_000)


def make_workshop(*, is_published=True, sessions=None, prices=None, starts_in=timedelta(days=30), **fields):
    """A published workshop with 20 places, one session of six hours and a price of £45."""
    starts_at = (timezone.now() + starts_in).replace(microsecond=0)
    if sessions is None:
        sessions = [SessionPlan(starts_at=starts_at, ends_at=starts_at + timedelta(hours=6))]
    if prices is None:
        prices = [PricePlan(amount=Money(4500, "GBP"))]
    fields.setdefault("title", "Bread baking")
    fields.setdefault("summary", "A day at the oven.")
    fields.setdefault("capacity", 20)
    fields.setdefault("place", "Leeds")
    fields.setdefault("address", "1 Mill Lane\nLS1 1AA")
    teacher = fields.pop("teacher", None) or TeacherFactory()
    subject = fields.pop("subject", None) or Subject.objects.get_or_create(name="Baking", slug="baking")[0]
    workshop = save_workshop(
        workshop=Workshop(teacher=teacher, subject=subject, **fields), sessions=sessions, prices=prices
    )
    if is_published:
        publish_workshop(workshop=workshop)
    return workshop


def make_line(workshop, *, buyer=None, quantity=1, participants=None, amount=None, line_id=None):
    """An order line for places in a workshop, as payments passes it to the handler."""
    buyer = buyer or UserFactory()
    line_id = line_id or next(_line_ids)
    return SoldLine(
        id=line_id,
        order_number=f"L{line_id}",
        reference=str(workshop.pk),
        quantity=quantity,
        details={"participants": participants} if participants else {},
        title=workshop.title,
        description="",
        buyer_id=buyer.pk,
        teacher_id=workshop.teacher_id,
        amount=amount or Money(4500 * quantity, "GBP"),
        policy=policy_to_freeze(workshop, workshop.zone),
    )


def in_half_an_hour():
    return timezone.now() + timedelta(minutes=30)
