"""Whether a workshop can be bought at a moment, at what price, and how many places are left."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, tzinfo

from django.conf import settings
from django.db.models import Count, Q

from accounts.models import Teacher
from accounts.moments import write_moment
from accounts.time_zones import zone_for
from money import Money
from payments.contracts import NotForSale
from workshops.models import Registration, Workshop
from workshops.schedule import first_start, last_end


def workshops_for_sale(ids: Collection[int]) -> dict[int, Workshop]:
    """The workshops by id, with everything a quote needs, in three queries."""
    found = Workshop.objects.filter(pk__in=ids).select_related("teacher__user", "subject")
    return {workshop.pk: workshop for workshop in found.prefetch_related("sessions", "prices")}


def places_left_for(workshop_ids: Collection[int], *, buyer_id: int | None, at: datetime) -> dict[int, int]:
    """The number of places each workshop has left for this buyer, in one query.

    The buyer's own holds count as free: a buyer who returns from the payment page must not find the workshop sold out
    because of them.
    """
    taking = Registration.objects.taking_a_place_at(at)
    if buyer_id is not None:
        taking = taking.exclude(state=Registration.State.HELD, buyer_id=buyer_id)
    counted = Workshop.objects.filter(pk__in=workshop_ids).annotate(
        taken=Count("registrations", filter=Q(registrations__in=taking))
    )
    return {pk: max(capacity - taken, 0) for pk, capacity, taken in counted.values_list("pk", "capacity", "taken")}


def unit_prices(workshop: Workshop, at: datetime) -> Mapping[str, Money]:
    """The price of one place at this moment in each of the site's currencies, in the site's order."""
    prices = {price.currency: price.amount_at(at) for price in workshop.prices.all()}
    return {currency: prices[currency] for currency in settings.CURRENCIES if currency in prices}


def registration_closes_at(workshop: Workshop) -> datetime | None:
    """When registration closes: as the teacher set it, by default at the first start; at the last end at the latest."""
    sessions = list(workshop.sessions.all())
    closes_at = workshop.registration_closes_at or first_start(sessions)
    ends_at = last_end(sessions)
    return min(closes_at, ends_at) if closes_at and ends_at else closes_at


def refusal(workshop: Workshop, at: datetime, reader: tzinfo) -> NotForSale | None:
    """Why registration is not open at this moment, regardless of places left; None if it is open."""
    if workshop.is_cancelled:
        return NotForSale(f"“{workshop.title}” is cancelled.")
    if not workshop.is_published or workshop.teacher.status != Teacher.Status.APPROVED:
        return NotForSale("This workshop is not offered any more.")
    if workshop.registration_opens_at and at < workshop.registration_opens_at:
        opens = write_moment(workshop.registration_opens_at, zone_for(workshop, reader=reader))
        return NotForSale(f"Registration opens on {opens}.")
    closes_at = registration_closes_at(workshop)
    if closes_at is None or at >= closes_at:
        return NotForSale(f"Registration for “{workshop.title}” is closed.")
    if not unit_prices(workshop, at):
        return NotForSale("This workshop has no price yet.")
    return None
