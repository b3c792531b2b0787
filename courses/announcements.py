"""The event about courses that people's own programs can hear of."""

from __future__ import annotations

from courses.models import Enrolment
from payments.contracts import SoldLine
from webhooks.announcing import announce, same_for_all
from webhooks.event_types import EVERYONE, EventType, Field, register_event_type

ENROLMENT_CREATED = register_event_type(
    EventType(
        name="enrolment.created",
        text="A course was bought and is open to the student.",
        audiences=EVERYONE,
        fields={
            "enrolment": Field(int, "`id` of the enrolment."),
            "course": Field(int, "`id` of the course, its `reference` in the cart."),
            "order": Field(str, "`number` of the order; empty for a gift, whose order is the giver's."),
            "line": Field(int, "`id` of the order line."),
        },
    )
)


def announce_enrolment(enrolment: Enrolment, *, line: SoldLine) -> None:
    """Announce that a course was delivered."""
    order = "" if line.gift else line.order_number
    data = {"enrolment": enrolment.pk, "course": enrolment.course_id, "order": order, "line": line.id}
    views = same_for_all(data, user_id=line.holder_id, teacher_id=line.teacher_id)
    announce(ENROLMENT_CREATED, subject=f"enrolment:{enrolment.pk}:{line.id}", views=views)
