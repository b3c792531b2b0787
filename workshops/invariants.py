"""Invariants of paid places in workshops."""

from __future__ import annotations

from django.db.models import Count, F, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from jobs.invariants import Invariant
from payments.models import LineCancellation, OrderLine
from workshops import DOMAIN
from workshops.models import Registration, Workshop


class PaidPlacesAreRegistered:
    name = "workshops.paid_places_are_registered"
    promise = "Each delivered line has a registration for each of its places, confirmed or revoked."

    def breaking(self) -> list[int]:
        given = Registration.objects.filter(
            order_line_id=OuterRef("pk"), state__in=[Registration.State.CONFIRMED, Registration.State.REVOKED]
        )
        places = given.order_by().values("order_line_id").annotate(number=Count("pk")).values("number")
        lines = OrderLine.objects.filter(domain=DOMAIN, state=OrderLine.State.FULFILLED)
        lines = lines.annotate(places=Coalesce(Subquery(places, output_field=IntegerField()), 0))
        return list(lines.exclude(places=F("quantity")).order_by("pk").values_list("pk", flat=True))


class NoWorkshopIsOversold:
    name = "workshops.no_workshop_is_oversold"
    promise = "No workshop has more confirmed registrations than places."

    def breaking(self) -> list[int]:
        confirmed = Registration.objects.filter(workshop=OuterRef("pk"), state=Registration.State.CONFIRMED)
        number = confirmed.order_by().values("workshop").annotate(number=Count("pk")).values("number")
        workshops = Workshop.objects.annotate(taken=Coalesce(Subquery(number, output_field=IntegerField()), 0))
        return list(workshops.filter(taken__gt=F("capacity")).order_by("pk").values_list("pk", flat=True))


class CancelledWorkshopsAreEmpty:
    name = "workshops.cancelled_workshops_are_empty"
    promise = (
        "A cancelled workshop has no confirmed registration once its refunds are requested, and no held one at all."
    )

    def breaking(self) -> list[int]:
        unfinished = LineCancellation.objects.exclude(state=LineCancellation.State.DONE)
        places = Registration.objects.filter(workshop__state=Workshop.State.CANCELLED)
        held = places.filter(state=Registration.State.HELD)
        confirmed = places.filter(state=Registration.State.CONFIRMED).exclude(
            order_line_id__in=unfinished.values("line")
        )
        return sorted({place.workshop_id for place in (held | confirmed)})


INVARIANTS: tuple[Invariant, ...] = (
    PaidPlacesAreRegistered(),
    NoWorkshopIsOversold(),
    CancelledWorkshopsAreEmpty(),
)
