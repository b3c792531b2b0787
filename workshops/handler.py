"""The handler through which payments sells workshops."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from django.urls import reverse
from django.utils import timezone

from accounts.time_zones import zone_of_buyer
from payments.contracts import (
    Appointment,
    CancellationTerms,
    CannotDeliver,
    CannotReceive,
    DomainHandler,
    Item,
    NotForSale,
    Quote,
    RefundStep,
    SoldLine,
    SoldOut,
)
from payments.thumbnails import thumbnail_of
from workshops import DOMAIN, holds, mails
from workshops.announcements import announce_registrations, announce_revoked_registrations
from workshops.appointments import appointment_of, sessions_of
from workshops.availability import places_left_for, refusal, unit_prices, workshops_for_sale
from workshops.models import Registration, Workshop
from workshops.participants import InvalidParticipants, read_participants
from workshops.refund_policy import policy_to_freeze, refund_steps
from workshops.schedule import describe_schedule, first_start, last_end

# Enough for a school that registers several classes; more come in a second order.
MOST_PLACES_PER_LINE = 100
EARNED_AFTER = timedelta(hours=72)


class WorkshopHandler(DomainHandler):
    """Implements `payments.contracts.DomainHandler` for places in workshops.

    An item's reference is the workshop's id; its details name the participants.
    """

    domain = DOMAIN
    label = "Workshop"
    revoke_one, revoke_many = "Give the place back", "Give the places back"
    revoked_one, revoked_many = "1 place given back", "{count} places given back"
    delivery_action = "View tickets"
    can_be_given = True
    earned_by = f"a workshop {EARNED_AFTER.days} days after its last session"

    def quote(self, items: Sequence[Item], buyer_id: int | None) -> Sequence[Quote | NotForSale]:
        ids = {holds.workshop_id_from(item.reference) for item in items}
        workshops = workshops_for_sale(ids)
        now, reader = timezone.now(), zone_of_buyer(buyer_id)
        left = places_left_for(ids, buyer_id=buyer_id, at=now)
        return [
            _quote_one(item, workshops.get(holds.workshop_id_from(item.reference)), left, now, reader) for item in items
        ]

    def reserve(self, line: SoldLine, until: datetime) -> None:
        try:
            holds.hold_seats(line=line, until=until)
        except holds.NoSuchWorkshop:
            raise SoldOut("This workshop is not offered any more.") from None

    def keep_gift(self, line: SoldLine) -> None:
        """Take the place: it stays the buyer's, without a ticket, until it is redeemed or the workshop is over."""
        registrations, is_first_delivery = self._confirm(line)
        if is_first_delivery:
            mails.queue_gift_registered(line=line, registrations=registrations)
            announce_registrations(line, registrations)

    def hand_over(self, line: SoldLine) -> None:
        """Put the place into the receiver's name, and send them the ticket."""
        try:
            registrations = holds.hand_over_seats(line=line)
        except holds.NoSuchWorkshop:
            raise CannotReceive("This workshop no longer exists.") from None
        except holds.WorkshopIsCancelled as error:
            raise CannotReceive(f"“{error}” is cancelled, and the gift is refunded to its buyer.") from error
        except holds.WorkshopIsOver as error:
            raise CannotReceive(f"“{error}” is over, so its place can no longer be used.") from error
        except holds.OwnWorkshop as error:
            raise CannotReceive(f"You teach “{error}” yourself. Pass the code on to another person.") from error
        mails.queue_gift_handed_over(line=line, registrations=registrations)

    def fulfil(self, line: SoldLine) -> None:
        registrations, is_first_delivery = self._confirm(line)
        if is_first_delivery:
            mails.queue_registration_mails(line=line, registrations=registrations)
            announce_registrations(line, registrations)

    def _confirm(self, line: SoldLine) -> tuple[list[Registration], bool]:
        """Confirm the line's seats, and whether this call did so. Raises CannotDeliver."""
        try:
            return holds.confirm_seats(line=line)
        except holds.NoSuchWorkshop:
            raise CannotDeliver("This workshop no longer exists.") from None
        except SoldOut as error:
            raise CannotDeliver(f"The payment arrived after another buyer had taken the place. {error}") from error
        except holds.WorkshopIsCancelled as error:
            raise CannotDeliver(f"“{error}” was cancelled before the payment arrived.") from error
        except holds.WorkshopIsOver as error:
            raise CannotDeliver(f"The payment arrived after “{error}” had ended.") from error

    def release(self, line: SoldLine) -> None:
        holds.release_seats(line=line)

    def busy(self, person_id: int, since: datetime, until: datetime) -> Sequence[Appointment]:
        """Sessions of published workshops that the person teaches, and of those they hold a place in."""
        return sessions_of(person_id, since=since, until=until)

    def revoke(self, line: SoldLine, quantity: int, reason: str, places: Sequence[str] = ()) -> None:
        revoked = holds.revoke_seats(line=line, quantity=quantity, reason=reason, first=places)
        if revoked:
            mails.queue_revocation_mails(line=line, registrations=revoked)
            announce_revoked_registrations(line, revoked)

    def cancellation_terms(self, line: SoldLine) -> CancellationTerms:
        workshop = _workshop_of(line)
        if workshop and workshop.is_cancelled:
            # All is refunded anyway, in a moment.
            return CancellationTerms(
                steps=[RefundStep(amount=line.amount, until=None)],
                places=holds.places_of(line),
                zone=workshop.place_zone,
            )
        starts_at = first_start(list(workshop.sessions.all())) if workshop else None
        return CancellationTerms(
            steps=refund_steps(amount=line.amount, policy=line.policy, starts_at=starts_at),
            places=holds.places_of(line),
            closes_at=starts_at,
            zone=workshop.place_zone if workshop else None,
        )

    def earned_at(self, line: SoldLine) -> datetime | None:
        workshop = _workshop_of(line)
        ends_at = last_end(list(workshop.sessions.all())) if workshop else None
        return ends_at + EARNED_AFTER if ends_at else None

    def delivery_url(self, line: SoldLine) -> str:
        # The list of tickets, scrolled to the line's own: an order page with ten lines needs no query for this address.
        return f"{reverse('workshops:mine')}#line-{line.id}"


def _workshop_of(line: SoldLine) -> Workshop | None:
    workshop_id = holds.workshop_id_from(line.reference)
    return Workshop.objects.filter(pk=workshop_id).prefetch_related("sessions").first()


def _quote_one(
    item: Item, workshop: Workshop | None, left: dict[int, int], now: datetime, reader: tzinfo
) -> Quote | NotForSale:
    if workshop is None:
        return NotForSale("There is no such workshop.")
    if refused := refusal(workshop, now, reader):
        return refused
    if left[workshop.pk] == 0:
        return NotForSale(f"“{workshop.title}” is sold out.")
    try:
        participants = read_participants(item.details, item.quantity)
    except InvalidParticipants as error:
        return NotForSale(str(error), change_url=_naming_url(workshop, item))
    policy = policy_to_freeze(workshop, reader)
    return Quote(
        title=workshop.title,
        unit_prices=unit_prices(workshop, now),
        teacher_id=workshop.teacher_id,
        url=workshop.get_absolute_url(),
        quantity_limit=min(MOST_PLACES_PER_LINE, left[workshop.pk]),
        policy=policy,
        teacher_name=workshop.teacher.display_name,
        terms=policy.get("text", ""),
        thumbnail=thumbnail_of(workshop.subject, workshop.cover),
        description=describe_schedule(workshop, reader),
        choices=[f"For {participant}" for participant in participants if str(participant)],
        change_url=_naming_url(workshop, item),
        appointments=[appointment_of(session, workshop) for session in workshop.sessions.all()],
    )


def _naming_url(workshop: Workshop, item: Item) -> str:
    return f"{reverse('workshops:register', args=[workshop.slug])}?quantity={item.quantity}"
