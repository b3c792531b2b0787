"""The sessions of workshops in a person's calendar."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from payments.contracts import Appointment
from workshops import DOMAIN
from workshops.models import Registration, Workshop, WorkshopSession


def appointment_of(session: WorkshopSession, workshop: Workshop) -> Appointment:
    """A session as payments knows it."""
    return Appointment(
        domain=DOMAIN,
        reference=str(workshop.pk),
        title=workshop.title,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        place_zone=workshop.place_zone,
    )


def sessions_of(person_id: int, *, since: datetime, until: datetime) -> list[Appointment]:
    """Sessions in a period that a person teaches, or has a place in. A withdrawn workshop still takes place if sold."""
    places = Registration.objects.filter(workshop=OuterRef("workshop")).taking_a_place_at(timezone.now())
    attended = Exists(places.filter(buyer=person_id, is_gift_waiting=False))
    taught = Q(workshop__teacher__user=person_id) & (Q(workshop__state=Workshop.State.PUBLISHED) | Exists(places))
    sessions = (
        WorkshopSession.objects.filter(attended | taught, starts_at__lt=until, ends_at__gt=since)
        .exclude(workshop__state=Workshop.State.CANCELLED)
        .select_related("workshop")
    )
    return [appointment_of(session, session.workshop) for session in sessions]
