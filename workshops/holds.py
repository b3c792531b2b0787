"""Hold, confirm, release and revoke seats. Only this module changes a registration's state.

Lock order everywhere: the workshop's row, then its registrations, then the catalogue's listing. Only the confirmation
of a hold that has not lapsed does not lock the workshop, because it changes only the line's own registrations. The
unique constraint on live seats and the capacity trigger also protect against code that forgets the lock.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from catalogue.listings import mark_sold_out
from payments.contracts import Place, SoldLine, SoldOut
from payments.references import read_id
from workshops import DOMAIN
from workshops.models import Registration, Workshop
from workshops.participants import NAME_LENGTH, Participant, fill_places, read_participants
from workshops.schedule import last_end

_Held = Registration.State.HELD
_Confirmed = Registration.State.CONFIRMED


class NoSuchWorkshop(Exception):
    """The line's reference names no workshop."""


class WorkshopIsCancelled(Exception):
    """The workshop is cancelled for good. The message is its title."""


class WorkshopIsOver(Exception):
    """The last session has ended, so a ticket would be worthless. The message is the workshop's title."""


class OwnWorkshop(Exception):
    """The person teaches the workshop. The message is its title."""


def lock_workshop(reference: str) -> Workshop:
    """Lock the workshop, so that only this transaction takes or frees its seats. Raises NoSuchWorkshop."""
    # NO KEY: inserts of rows that refer to this workshop do not have to wait.
    workshop = Workshop.objects.select_for_update(no_key=True).filter(pk=workshop_id_from(reference)).first()
    if workshop is None:
        raise NoSuchWorkshop(reference)
    return workshop


def workshop_id_from(reference: str) -> int:
    """The workshop's id in a cart's reference; 0, which no workshop has, if the reference is not an id."""
    return read_id(reference) or 0


@transaction.atomic
def hold_seats(*, line: SoldLine, until: datetime) -> list[Registration]:
    """Hold a seat for each place of the line, all or none. A second call only extends the hold.

    Raises SoldOut with the number of places left.
    """
    workshop = lock_workshop(line.reference)
    registrations = _registrations_of(line)
    if _are_settled(registrations):
        return registrations
    if workshop.is_cancelled:
        raise SoldOut(f"“{workshop.title}” is cancelled.")
    registrations = _not_revoked(registrations)
    _give_seats(workshop, line, registrations, state=_Held, held_until=until)
    show_places_in_catalogue(workshop)
    return registrations


@transaction.atomic
def confirm_seats(*, line: SoldLine) -> tuple[list[Registration], bool]:
    """Confirm the line's seats, taking free ones again if the hold lapsed.

    Returns the registrations, and whether this call confirmed them. Raises SoldOut if others have taken the seats,
    WorkshopIsOver, WorkshopIsCancelled, and NoSuchWorkshop.
    """
    registrations = _registrations_of(line)
    if not _are_settled(registrations) and _confirm_live_hold(line, _not_revoked(registrations)):
        return _not_revoked(registrations), True
    workshop = lock_workshop(line.reference)
    registrations = _registrations_of(line)
    if _are_settled(registrations):
        return registrations, False
    if workshop.is_cancelled:
        raise WorkshopIsCancelled(workshop.title)
    registrations = _not_revoked(registrations)
    _refuse_when_over(workshop)
    _give_seats(workshop, line, registrations, state=_Confirmed, held_until=None)
    show_places_in_catalogue(workshop)
    return registrations, True


def _confirm_live_hold(line: SoldLine, registrations: list[Registration]) -> bool:
    """Confirm the seats if their hold has not lapsed; otherwise return False: free seats must then be found under lock.

    One conditional statement and no lock on the workshop: it takes no seats, and a hundred people who pay for one
    workshop at the same moment must not wait for each other.
    """
    if not registrations:
        return False
    _refuse_when_over(registrations[0].workshop)
    now = timezone.now()
    live = Registration.objects.filter(order_line_id=line.id, state=_Held, held_until__gt=now)
    with transaction.atomic():
        if live.update(state=_Confirmed, held_until=None, confirmed_at=now) != len(registrations):
            transaction.set_rollback(True)
            return False
    for place in registrations:
        place.state, place.held_until, place.confirmed_at = _Confirmed, None, now
    return True


def _refuse_when_over(workshop: Workshop) -> None:
    ends_at = last_end(list(workshop.sessions.all()))
    if ends_at and ends_at <= timezone.now():
        raise WorkshopIsOver(workshop.title)


@transaction.atomic
def hand_over_seats(*, line: SoldLine) -> list[Registration]:
    """Put the confirmed places of a gift into the name of the person who redeems it; returns them.

    Raises NoSuchWorkshop, WorkshopIsCancelled, WorkshopIsOver and OwnWorkshop.
    """
    workshop = lock_workshop(line.reference)
    if workshop.is_cancelled:
        raise WorkshopIsCancelled(workshop.title)
    _refuse_when_over(workshop)
    if workshop.teacher.user_id == line.holder_id:
        raise OwnWorkshop(workshop.title)
    receiver = User.objects.get(pk=line.holder_id)
    registrations = [place for place in _registrations_of(line) if place.state == _Confirmed]
    for place in registrations:
        place.buyer = receiver
        place.participant_name = receiver.display_name[:NAME_LENGTH]
        place.participant_email = receiver.email
        # The order is the giver's: its page is not found for the receiver.
        place.order_number = ""
        place.is_gift_waiting = False
    Registration.objects.bulk_update(
        registrations, ["buyer", "participant_name", "participant_email", "order_number", "is_gift_waiting"]
    )
    return registrations


@transaction.atomic
def release_seats(*, line: SoldLine) -> None:
    """Free the seats that the line holds; confirmed seats are kept."""
    _end_registrations(line, from_states=[_Held], state=Registration.State.RELEASED)


@transaction.atomic
def revoke_seats(*, line: SoldLine, quantity: int, reason: str, first: Collection[str] = ()) -> list[Registration]:
    """Revoke seats permanently until `quantity` of the line's seats are revoked in total.

    Those with the ticket codes `first` come first, then the last ones. Returns the registrations that were confirmed before. Held and released ones are revoked as well, so that a payment
    event that arrives late finds the line refunded.
    """
    return _end_registrations(
        line,
        from_states=[_Held, _Confirmed, Registration.State.RELEASED],
        state=Registration.State.REVOKED,
        revoked_reason=reason[:200],
        total=quantity,
        first=first,
    )


def places_of(line: SoldLine) -> list[Place]:
    """The confirmed places of a line, by ticket code."""
    places = Registration.objects.filter(order_line_id=line.id, state=_Confirmed).order_by("position")
    return [Place(key=place.code, label=place.participant_name) for place in places]


def release_all_holds(workshop: Workshop) -> None:
    """Free all held seats, also those of payment pages that are still open. The workshop's row must be locked."""
    workshop.registrations.filter(state=_Held).update(state=Registration.State.RELEASED, held_until=None)


def recycle_lapsed_holds(workshop: Workshop) -> None:
    """Free the seats of lapsed holds. The workshop's row must be locked."""
    workshop.registrations.lapsed_at(timezone.now()).update(state=Registration.State.RELEASED, held_until=None)


def places_left(workshop: Workshop) -> int:
    """The number of places that are neither held nor confirmed. Exact while the workshop's row is locked."""
    return max(workshop.capacity - workshop.registrations.taking_a_place_at(timezone.now()).count(), 0)


def show_places_in_catalogue(workshop: Workshop) -> None:
    """Update whether the listing in the catalogue is sold out. The workshop's row must be locked.

    Writes only when this changes, so that sales do not contend for the listing's row.
    """
    is_sold_out = places_left(workshop) == 0
    if is_sold_out != workshop.is_sold_out:
        Workshop.objects.filter(pk=workshop.pk).update(is_sold_out=is_sold_out)
        workshop.is_sold_out = is_sold_out
        mark_sold_out(domain=DOMAIN, reference=str(workshop.pk), is_sold_out=is_sold_out)


def _registrations_of(line: SoldLine) -> list[Registration]:
    places = Registration.objects.filter(order_line_id=line.id).order_by("position")
    return list(places.select_related("buyer", "workshop__teacher__user").prefetch_related("workshop__sessions"))


def _are_settled(registrations: list[Registration]) -> bool:
    """Whether the line was delivered or fully refunded: a payment event that arrives late must not deliver it again."""
    is_delivered = any(place.state == _Confirmed for place in registrations)
    return is_delivered or (bool(registrations) and not _not_revoked(registrations))


def _not_revoked(registrations: list[Registration]) -> list[Registration]:
    """The places the line still has: a refunded one is never given again."""
    return [place for place in registrations if place.state != Registration.State.REVOKED]


def _give_seats(
    workshop: Workshop, line: SoldLine, registrations: list[Registration], *, state: str, held_until: datetime | None
) -> None:
    """Give every place of the line a seat in `state`. Appends new registrations to `registrations`. Raises SoldOut."""
    if not registrations:
        registrations.extend(_new_registrations(workshop, line))
    # A lapsed hold of this line has its seats until another buyer recycles them, so they are renewed.
    seatless = [place for place in registrations if place.pk is None or place.state == Registration.State.RELEASED]
    free = _free_seats(workshop, line=line, wanted=len(seatless))
    if len(free) < len(seatless):
        raise SoldOut(_describe_places_left(workshop, len(free), len(registrations)))
    for place, seat in zip(seatless, free, strict=False):
        place.seat = seat
    for place in registrations:
        place.state = state
        place.held_until = held_until
        place.confirmed_at = timezone.now() if state == _Confirmed else None
    created = [place for place in registrations if place.pk is None]
    Registration.objects.bulk_create(created)
    Registration.objects.bulk_update(
        [place for place in registrations if place not in created], ["seat", "state", "held_until", "confirmed_at"]
    )


def _new_registrations(workshop: Workshop, line: SoldLine) -> list[Registration]:
    buyer = User.objects.get(pk=line.buyer_id)
    if line.gift:
        participants = [Participant(line.gift.receiver_name)] * line.quantity
    else:
        participants = fill_places(
            read_participants(line.details, line.quantity),
            quantity=line.quantity,
            buyer_name=buyer.display_name,
            buyer_email=buyer.email,
        )
    return [
        Registration(
            workshop=workshop,
            buyer=buyer,
            participant_name=participant.name,
            participant_email=participant.email,
            order_line_id=line.id,
            order_number=line.order_number,
            is_gift_waiting=line.gift is not None,
            position=position,
        )
        for position, participant in enumerate(participants)
    ]


def _free_seats(workshop: Workshop, *, line: SoldLine, wanted: int) -> Sequence[int]:
    """Up to `wanted` numbers of free seats, after recycling the lapsed holds of other lines."""
    if not wanted:
        return []
    now = timezone.now()
    others = workshop.registrations.exclude(order_line_id=line.id)
    others.lapsed_at(now).update(state=Registration.State.RELEASED, held_until=None)
    taken = set(workshop.registrations.live().values_list("seat", flat=True))
    return [seat for seat in range(1, workshop.capacity + 1) if seat not in taken][:wanted]


def _describe_places_left(workshop: Workshop, left: int, wanted: int) -> str:
    if left == 0:
        return f"“{workshop.title}” is sold out."
    places = "only 1 place" if left == 1 else f"only {left} places"
    return f"“{workshop.title}” has {places} left, and you asked for {wanted}."


def _end_registrations(  # noqa: PLR0913  # each says which places, or what becomes of them
    line: SoldLine,
    *,
    from_states: list[str],
    state: str,
    revoked_reason: str = "",
    total: int | None = None,
    first: Collection[str] = (),
) -> list[Registration]:
    """Change the line's places to the final `state`, those in `first` and then the last ones, until `total` are in it.

    Returns those that were confirmed before.
    """
    try:
        workshop = lock_workshop(line.reference)
    except NoSuchWorkshop:
        return []
    places = _registrations_of(line)
    ending = [place for place in reversed(places) if place.state in from_states]
    ending.sort(key=lambda place: place.code not in first)
    if total is not None:
        ending = ending[: max(total - sum(place.state == state for place in places), 0)]
    was_confirmed = [place for place in ending if place.state == _Confirmed]
    for place in ending:
        place.state, place.held_until, place.revoked_reason = state, None, revoked_reason
    Registration.objects.bulk_update(ending, ["state", "held_until", "revoked_reason"])
    if ending:
        show_places_in_catalogue(workshop)
    return was_confirmed
