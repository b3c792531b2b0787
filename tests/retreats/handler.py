"""The handler through which payments sells retreats. A line's reference is the retreat's id."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from payments.contracts import (
    CancellationTerms,
    CannotDeliver,
    DomainHandler,
    NotForSale,
    Quote,
    RefundStep,
    SoldOut,
)
from tests.retreats import DOMAIN, mails
from tests.retreats.holds import (
    confirm_places,
    hold_places,
    places_of,
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

    def revoke(self, line, quantity, reason, places=()):
        if revoke_places(line=line, quantity=quantity):
            mails.queue_stay_revoked(line, quantity, reason)

    def cancellation_terms(self, line):
        retreat = Retreat.objects.filter(pk=retreat_id_from(line.reference)).first()
        if retreat is None:
            return CancellationTerms(steps=[RefundStep(amount=line.amount, until=None)])
        return CancellationTerms(
            steps=[RefundStep(amount=line.amount, until=retreat.starts_at - FULL_REFUND)],
            places=places_of(line),
            closes_at=retreat.starts_at,
        )

    def earned_at(self, line):
        retreat = Retreat.objects.filter(pk=retreat_id_from(line.reference)).first()
        return retreat.ends_at if retreat else None

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
