"""Take, hold and free places, always under the lock of the retreat's row."""

from django.db import transaction
from django.db.models import F, Q, Sum
from django.utils import timezone

from payments.contracts import SoldOut
from tests.retreats.models import Retreat, Stay


def retreat_id_from(reference):
    """The id in a reference; 0, which no retreat has, for anything else."""
    is_id = reference.isascii() and reference.isdigit() and not reference.startswith("0") and len(reference) <= 18
    return int(reference) if is_id else 0


def lock_retreat(reference):
    return Retreat.objects.select_for_update(no_key=True).filter(pk=retreat_id_from(reference)).first()


def taking_places(at):
    return Q(state=Stay.State.CONFIRMED) | Q(state=Stay.State.HELD, held_until__gt=at)


def places_taken(retreat_ids, *, but_not_held_by=None):
    """How many places of each retreat are confirmed or held by others. One query."""
    stays = Stay.objects.filter(taking_places(timezone.now()), retreat__in=retreat_ids)
    if but_not_held_by is not None:
        stays = stays.exclude(state=Stay.State.HELD, guest=but_not_held_by)
    rows = stays.values("retreat").annotate(taken=Sum(F("quantity") - F("revoked")))
    return {row["retreat"]: row["taken"] for row in rows}


def places_left(retreat, *, but_not_of_line):
    """Places that are free for one line, whose own places do not count as taken. Exact under the retreat's lock."""
    stays = retreat.stays.filter(taking_places(timezone.now())).exclude(order_line_id=but_not_of_line)
    return retreat.places - (stays.aggregate(taken=Sum(F("quantity") - F("revoked")))["taken"] or 0)


@transaction.atomic
def hold_places(*, line, until):
    """Hold the line's places, or extend its hold. Raises SoldOut."""
    _take(line, state=Stay.State.HELD, held_until=until)


@transaction.atomic
def confirm_places(*, line):
    """Confirm the line's places; whether this call was the one that did. Raises SoldOut."""
    return _take(line, state=Stay.State.CONFIRMED, held_until=None)


def _take(line, *, state, held_until):
    retreat = lock_retreat(line.reference)
    if retreat is None:
        raise SoldOut("This retreat is not offered any more.")
    stay = Stay.objects.filter(order_line_id=line.id).first()
    if stay and (stay.state == Stay.State.CONFIRMED or not stay.places):
        return False
    stay = stay or Stay(retreat=retreat, guest_id=line.buyer_id, order_line_id=line.id, quantity=line.quantity)
    if places_left(retreat, but_not_of_line=line.id) < stay.places:
        raise SoldOut(f"“{retreat.title}” has not enough places left.")
    stay.state, stay.held_until = state, held_until
    stay.save()
    return True


@transaction.atomic
def release_places(*, line):
    lock_retreat(line.reference)
    Stay.objects.filter(order_line_id=line.id, state=Stay.State.HELD).update(state=Stay.State.RELEASED, held_until=None)


@transaction.atomic
def revoke_places(*, line, quantity):
    """Take back places until `quantity` are taken back in all; returns how many confirmed ones this call took back."""
    lock_retreat(line.reference)
    stay = Stay.objects.filter(order_line_id=line.id).first()
    if stay is None or quantity <= stay.revoked:
        return 0
    taken = quantity - stay.revoked
    Stay.objects.filter(pk=stay.pk).update(revoked=quantity)
    return taken if stay.state == Stay.State.CONFIRMED else 0


def free_lapsed_holds():
    """Delete lapsed holds. Nothing waits for this, because a lapsed hold does not block its places."""
    lapsed = Stay.objects.filter(state=Stay.State.HELD, held_until__lte=timezone.now())
    return lapsed.update(state=Stay.State.RELEASED, held_until=None)
