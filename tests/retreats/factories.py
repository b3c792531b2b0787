import itertools
from datetime import timedelta

from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from money import Money
from payments.contracts import SoldLine
from tests.retreats.models import Retreat

_line_ids = itertools.count(1_000_000)


def make_retreat(**fields):
    starts_at = timezone.now() + timedelta(days=40)
    given = {"title": "Silence", "places": 3, "price_minor": 30_000, "currency": "GBP", **fields}
    return Retreat.objects.create(
        teacher=given.pop("teacher", None) or TeacherFactory(),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(days=2),
        **given,
    )


def sold_line(retreat, *, buyer=None, quantity=1):
    line_id = next(_line_ids)
    return SoldLine(
        id=line_id,
        order_number=f"L{line_id}",
        reference=str(retreat.pk),
        quantity=quantity,
        details={},
        title=retreat.title,
        description="",
        buyer_id=(buyer or UserFactory()).pk,
        teacher_id=retreat.teacher_id,
        amount=Money(retreat.price_minor * quantity, retreat.currency),
        policy={"full_refund_days": 14},
    )
