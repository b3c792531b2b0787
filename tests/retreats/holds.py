"""Hold, confirm and free places, always under a lock on the retreat's row."""

from django.db import transaction
from django.db.models import F, Q, Sum
from django.utils import timezone

from payments.contracts import Place, SoldOut
from tests.retreats.models import Retreat, Stay


def retreat_id_from(reference):
    """The id in a reference; 0, which no retreat has, if it is not an id."""
    is_id = reference.isascii() and reference.isdigit() and not reference.startswith("0") and len(reference) <= 18
    return int(reference) if is_id else 0


def lock_retreat(reference):
    return Retreat.objects.select_for_update(no_key=True).filter(pk=retreat_id_from(reference)).first()


def taking_places(at):
    return Q(state=Stay.State.CONFIRMED) | Q(state=Stay.State.HELD, held_until__gt=at)


def places_taken(retreat_ids, *, buyer_id=None):
    """The number of places of each retreat that are confirmed, or held by other buyers. One query."""
    stays = Stay.objects.filter(taking_places(timezone.now()), retreat__in=retreat_ids)
    if buyer_id is not None:
        stays = stays.exclude(state=Stay.State.HELD, guest=buyer_id)
    rows = stays.values("retreat").annotate(taken=Sum(F("quantity") - F("revoked")))
    return {row["retreat"]: row["taken"] for row in rows}


def places_left(retreat, *, line_id):
    """The number of places left for a line; its own places count as free. Exact while the retreat is locked."""
    stays = retreat.stays.filter(taking_places(timezone.now())).exclude(order_line_id=line_id)
    return retreat.places - (stays.aggregate(taken=Sum(F("quantity") - F("revoked")))["taken"] or 0)


@transaction.atomic
def hold_places(*, line, until):
    """Hold the line's places, or extend its hold. Raises SoldOut."""
    _take(line, state=Stay.State.HELD, held_until=until)


@transaction.atomic
def confirm_places(*, line):
    """Confirm the line's places, and return whether this call did so. Raises SoldOut."""
    return _take(line, state=Stay.State.CONFIRMED, held_until=None)


def _take(line, *, state, held_until):
    retreat = lock_retreat(line.reference)
    if retreat is None:
        raise SoldOut("This retreat is not offered any more.")
    stay = Stay.objects.filter(order_line_id=line.id).first()
    if stay and (stay.state == Stay.State.CONFIRMED or not stay.places):
        return False
    stay = stay or Stay(retreat=retreat, guest_id=line.buyer_id, order_line_id=line.id, quantity=line.quantity)
    if places_left(retreat, line_id=line.id) < stay.places:
        raise SoldOut(f"“{retreat.title}” does not have enough places left.")
    stay.state, stay.held_until = state, held_until
    stay.save()
    return True


@transaction.atomic
def release_places(*, line):
    lock_retreat(line.reference)
    Stay.objects.filter(order_line_id=line.id, state=Stay.State.HELD).update(state=Stay.State.RELEASED, held_until=None)


@transaction.atomic
def revoke_places(*, line, quantity):
    """Revoke places until `quantity` are revoked in total; return how many confirmed ones this call revoked."""
    lock_retreat(line.reference)
    stay = Stay.objects.filter(order_line_id=line.id).first()
    if stay is None or quantity <= stay.revoked:
        return 0
    taken = quantity - stay.revoked
    Stay.objects.filter(pk=stay.pk).update(revoked=quantity)
    return taken if stay.state == Stay.State.CONFIRMED else 0


def places_of(line):
    """The places of a line that are still confirmed. A stay is a number, so a place is only a position in it."""
    stay = Stay.objects.filter(order_line_id=line.id, state=Stay.State.CONFIRMED).first()
    return [Place(key=str(position)) for position in range(stay.revoked, stay.quantity)] if stay else []


def free_lapsed_holds():
    """Release lapsed holds. It is not urgent, because a lapsed hold does not block its places."""
    lapsed = Stay.objects.filter(state=Stay.State.HELD, held_until__lte=timezone.now())
    return lapsed.update(state=Stay.State.RELEASED, held_until=None)
