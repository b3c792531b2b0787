"""Create, change, publish and withdraw workshops. Only this module changes a workshop's state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.text import slugify

from accounts.folding import fold
from catalogue.listings import EarlyPrice, ListingDraft, publish_listing, withdraw_listing
from money import Money
from workshops import DOMAIN
from workshops.availability import registration_closes_at, unit_prices
from workshops.holds import recycle_lapsed_holds, show_places_in_catalogue
from workshops.mails import queue_new_schedule_mails
from workshops.models import Registration, RemovedSession, Workshop, WorkshopPrice, WorkshopSession
from workshops.pairing import SessionPlan, pair_with_plans
from workshops.schedule import first_start, last_end


class CapacityBelowTaken(Exception):
    """More places are taken than the new capacity has. The message is shown to the teacher."""

    about = "capacity"


class NotReadyToPublish(Exception):
    """Something a published workshop needs is missing. The message is shown to the teacher; `about` names what it is."""

    def __init__(self, message: str, *, about: str) -> None:
        super().__init__(message)
        self.about = about


class CancelledForGood(NotReadyToPublish):
    """A cancelled workshop can be neither changed nor put on sale again."""

    def __init__(self) -> None:
        super().__init__("This workshop is cancelled. Plan a new one instead.", about="")


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePlan:
    """The price of a place in one currency; `early_bird` needs `early_bird_until`."""

    amount: Money
    early_bird: Money | None = None
    early_bird_until: datetime | None = None


@transaction.atomic
def save_workshop(*, workshop: Workshop, sessions: Sequence[SessionPlan], prices: Sequence[PricePlan]) -> Workshop:
    """Save a new or changed workshop with its sessions and prices, and update its listing.

    Raises CapacityBelowTaken, and NotReadyToPublish if a published workshop would become incomplete. Registered people
    get a mail when times or place change.
    """
    before = _schedule_of(workshop.pk)
    if not workshop.pk:
        workshop.slug = free_slug(workshop.title)
    else:
        _keep_stored_state(workshop)
        make_room_for_capacity(workshop_id=workshop.pk, capacity=workshop.capacity)
    workshop.save()
    _replace_sessions(workshop, sessions)
    _replace_prices(workshop, prices)
    if workshop.is_published:
        _refuse_unready(workshop)
        _list_in_catalogue(workshop)
    show_places_in_catalogue(workshop)
    if before and before != _schedule_of(workshop.pk):
        queue_new_schedule_mails(workshop)
    return workshop


@transaction.atomic
def publish_workshop(*, workshop: Workshop) -> None:
    """Put a workshop on sale and list it in the catalogue. Raises NotReadyToPublish."""
    rows = Workshop.objects.select_for_update(of=("self",), no_key=True).select_related("teacher", "subject")
    locked = rows.get(pk=workshop.pk)
    if locked.is_cancelled:
        raise CancelledForGood
    _refuse_unready(locked)
    locked.state = workshop.state = Workshop.State.PUBLISHED
    locked.save(update_fields=["state", "updated_at"])
    _list_in_catalogue(locked)
    show_places_in_catalogue(locked)


@transaction.atomic
def withdraw_workshop(*, workshop: Workshop) -> None:
    """Take a workshop off sale and out of the catalogue. Held and confirmed places are kept."""
    locked = Workshop.objects.select_for_update(no_key=True).get(pk=workshop.pk)
    if locked.is_cancelled:
        return
    locked.state = workshop.state = Workshop.State.WITHDRAWN
    locked.save(update_fields=["state", "updated_at"])
    withdraw_listing(domain=DOMAIN, reference=str(locked.pk))


@transaction.atomic
def make_room_for_capacity(*, workshop_id: int, capacity: int) -> None:
    """Move live registrations from seats above the new capacity to free seats below it. Raises CapacityBelowTaken."""
    workshop = Workshop.objects.select_for_update(no_key=True).get(pk=workshop_id)
    recycle_lapsed_holds(workshop)
    live = list(workshop.registrations.live().order_by("seat"))
    if len(live) > capacity:
        places = "1 place is" if len(live) == 1 else f"{len(live)} places are"
        raise CapacityBelowTaken(f"{places} already taken, so there cannot be fewer places than that.")
    taken = {registration.seat for registration in live}
    free = (seat for seat in range(1, capacity + 1) if seat not in taken)
    moving = [registration for registration in live if registration.seat > capacity]
    for registration in moving:
        registration.seat = next(free)
    Registration.objects.bulk_update(moving, ["seat"])


def free_slug(title: str) -> str:
    """A slug for a new workshop. It ends in random characters, so that workshops of the same title do not collide."""
    words = slugify(fold(title))[:60].strip("-") or "workshop"
    return f"{words}-{get_random_string(5, 'abcdefghjkmnpqrstuvwxyz23456789')}"


def _keep_stored_state(workshop: Workshop) -> None:
    """Lock the row and read the fields that publishing and selling write: they may have changed since it was loaded."""
    locked = Workshop.objects.select_for_update(no_key=True).get(pk=workshop.pk)
    if locked.is_cancelled:
        raise CancelledForGood
    workshop.state, workshop.is_sold_out, workshop.slug = locked.state, locked.is_sold_out, locked.slug
    # Orders name the teacher, so a workshop never changes its teacher.
    workshop.teacher_id = locked.teacher_id


def _replace_sessions(workshop: Workshop, plans: Sequence[SessionPlan]) -> None:
    """Make the sessions those of the plans. Moved sessions keep their rows, because calendars know them by their id."""
    stored = list(WorkshopSession.objects.filter(workshop=workshop))
    pairs = pair_with_plans(stored, plans)
    kept = {session.pk for session, _plan in pairs if session is not None}
    _remove_sessions([session for session in stored if session.pk not in kept])
    for session, plan in pairs:
        if session is None:
            WorkshopSession.objects.create(workshop=workshop, starts_at=plan.starts_at, ends_at=plan.ends_at)
        elif (session.starts_at, session.ends_at) != (plan.starts_at, plan.ends_at):
            session.starts_at, session.ends_at = plan.starts_at, plan.ends_at
            session.save(update_fields=["starts_at", "ends_at"])


def _remove_sessions(sessions: Sequence[WorkshopSession]) -> None:
    """Delete sessions, and remember them for the calendars that show them."""
    RemovedSession.objects.bulk_create(
        RemovedSession(
            workshop_id=session.workshop_id,
            session_number=session.pk,
            starts_at=session.starts_at,
            ends_at=session.ends_at,
            sequence=session.sequence + 1,
        )
        for session in sessions
    )
    WorkshopSession.objects.filter(pk__in=[session.pk for session in sessions]).delete()


def _replace_prices(workshop: Workshop, plans: Sequence[PricePlan]) -> None:
    workshop.prices.exclude(currency__in=[plan.amount.currency for plan in plans]).delete()
    for plan in plans:
        WorkshopPrice.objects.update_or_create(
            workshop=workshop,
            currency=plan.amount.currency,
            defaults={
                "amount_minor": plan.amount.minor,
                "early_bird_amount_minor": plan.early_bird.minor if plan.early_bird else None,
                "early_bird_until": plan.early_bird_until if plan.early_bird else None,
            },
        )


def _refuse_unready(workshop: Workshop) -> None:
    sessions = list(workshop.sessions.all())
    ends_at = last_end(sessions)
    if ends_at is None:
        raise NotReadyToPublish("Add at least one session first.", about="sessions")
    if ends_at <= timezone.now():
        raise NotReadyToPublish("All its sessions are over. Set new ones first.", about="sessions")
    if not unit_prices(workshop, timezone.now()):
        raise NotReadyToPublish("Add a price first.", about="prices")
    if not workshop.where:
        raise NotReadyToPublish("Say where it takes place: online, or at which place.", about="place")


def _list_in_catalogue(workshop: Workshop) -> None:
    prices = [price for price in workshop.prices.all() if price.currency in settings.CURRENCIES]
    publish_listing(
        ListingDraft(
            domain=DOMAIN,
            reference=str(workshop.pk),
            kind_label="Workshop",
            url=workshop.get_absolute_url(),
            title=workshop.title,
            summary=workshop.summary,
            teacher=workshop.teacher,
            prices=[price.amount for price in prices],
            early_prices=[
                EarlyPrice(amount=price.early_bird, until=price.early_bird_until)
                for price in prices
                if price.early_bird and price.early_bird_until
            ],
            subject=workshop.subject,
            levels=workshop.levels,
            language=workshop.language,
            is_online=workshop.is_online,
            place="" if workshop.is_online else workshop.place,
            starts_at=first_start(list(workshop.sessions.all())),
            closes_at=registration_closes_at(workshop),
            cover=workshop.cover.name or "",
            place_zone=workshop.place_zone,
            is_sold_out=workshop.is_sold_out,
            search_text=workshop.description,
        )
    )


def _schedule_of(workshop_id: int | None) -> object:
    """Times and place, whose change is mailed to registered people."""
    if workshop_id is None:
        return None
    sessions = WorkshopSession.objects.filter(workshop_id=workshop_id).values_list("starts_at", "ends_at")
    where = Workshop.objects.filter(pk=workshop_id).values_list("is_online", "online_url", "place", "address").get()
    return list(sessions), where
