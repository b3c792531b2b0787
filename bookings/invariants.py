"""Invariants of paid private lessons."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from bookings import DOMAIN
from bookings.models import Lesson
from jobs.invariants import Invariant
from payments.models import OrderLine


class PaidLessonsAreBooked:
    name = "bookings.paid_lessons_are_booked"
    promise = "Each delivered line has its lesson, which is no longer proposed or held."

    def breaking(self) -> list[int]:
        booked = Lesson.objects.filter(order_line_id=OuterRef("pk")).exclude(
            state__in=[Lesson.State.PROPOSED, Lesson.State.HELD]
        )
        lines = OrderLine.objects.filter(domain=DOMAIN, state=OrderLine.State.FULFILLED)
        return list(lines.exclude(Exists(booked)).order_by("pk").values_list("pk", flat=True))


INVARIANTS: tuple[Invariant, ...] = (PaidLessonsAreBooked(),)
