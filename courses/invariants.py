"""Invariants of paid courses."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, Exists, Func, OuterRef, Q

from courses import DOMAIN
from courses.models import Course, Enrolment
from jobs.invariants import Invariant
from payments.models import LineCancellation, OrderLine


class PaidCoursesAreOpen:
    name = "courses.paid_courses_are_open"
    promise = (
        "Each delivered line has an active enrolment, or is among the ended lines of one; a gift once it is redeemed."
    )

    def breaking(self) -> list[int]:
        this_line = Func(OuterRef("pk"), template="ARRAY[%(expressions)s]", output_field=ArrayField(BigIntegerField()))
        given = Enrolment.objects.filter(
            Q(state=Enrolment.State.ACTIVE, order_line_id=OuterRef("pk")) | Q(ended_line_ids__contains=this_line)
        )
        lines = OrderLine.objects.filter(domain=DOMAIN, state=OrderLine.State.FULFILLED)
        lines = lines.filter(Q(gift_key="") | Q(gift__redeemed_at__isnull=False))
        return list(lines.exclude(Exists(given)).order_by("pk").values_list("pk", flat=True))


class ClosedCoursesAreEmpty:
    name = "courses.closed_courses_are_empty"
    promise = "A closed course has no active enrolment once its refunds are requested, and no held one at all."

    def breaking(self) -> list[int]:
        unfinished = LineCancellation.objects.exclude(state=LineCancellation.State.DONE)
        enrolments = Enrolment.objects.filter(course__state=Course.State.CLOSED)
        held = enrolments.filter(state=Enrolment.State.HELD)
        active = enrolments.active().exclude(order_line_id__in=unfinished.values("line"))
        return sorted({enrolment.course_id for enrolment in (held | active)})


INVARIANTS: tuple[Invariant, ...] = (PaidCoursesAreOpen(), ClosedCoursesAreEmpty())
