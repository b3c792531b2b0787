"""The handler through which payments sells retreats. A line's reference is the retreat's id."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from money import Money
from payments.contracts import CannotDeliver, DomainHandler, NotForSale, Quote, SoldOut
from tests.retreats import DOMAIN, mails
from tests.retreats.holds import (
    confirm_places,
    hold_places,
    places_taken,
    release_places,
    retreat_id_from,
    revoke_places,
)
from tests.retreats.models import Retreat

FULL_REFUND = timedelta(days=14)


class RetreatHandler(DomainHandler):
    domain = DOMAIN
    label = "Retreat"

    def quote(self, items, buyer_id):
        ids = {retreat_id_from(item.reference) for item in items}
        retreats = Retreat.objects.select_related("teacher").in_bulk(ids)
        taken = places_taken(ids, buyer_id=buyer_id)
        return [_quote_one(retreats.get(retreat_id_from(item.reference)), taken) for item in items]

    def reserve(self, line, until):
        hold_places(line=line, until=until)

    def fulfil(self, line):
        try:
            is_first_delivery = confirm_places(line=line)
        except SoldOut as gone:
            raise CannotDeliver(str(gone)) from gone
        if is_first_delivery:
            mails.queue_stay_confirmed(line)

    def release(self, line):
        release_places(line=line)

    def revoke(self, line, quantity, reason):
        if revoke_places(line=line, quantity=quantity):
            mails.queue_stay_revoked(line, quantity, reason)

    def refund_offer(self, line, at):
        retreat = Retreat.objects.filter(pk=retreat_id_from(line.reference)).first()
        is_early = retreat is None or at <= retreat.starts_at - FULL_REFUND
        return line.amount if is_early else Money.zero(line.amount.currency)

    def earned_at(self, line):
        retreat = Retreat.objects.filter(pk=retreat_id_from(line.reference)).first()
        return retreat.ends_at if retreat else timezone.now()

    def delivery_url(self, line):
        return reverse("retreats:mine")


def _quote_one(retreat, taken):
    if retreat is None or not retreat.is_on_sale or not retreat.teacher.is_approved:
        return NotForSale("This retreat is not offered any more.")
    if retreat.starts_at <= timezone.now():
        return NotForSale("This retreat has started.")
    return Quote(
        title=retreat.title,
        unit_prices={retreat.currency: retreat.price},
        teacher_id=retreat.teacher_id,
        url=retreat.get_absolute_url(),
        quantity_limit=retreat.places - taken.get(retreat.pk, 0),
        policy={"full_refund_days": FULL_REFUND.days},
        description=f"{retreat.starts_at:%d %B %Y}",
    )
