"""Save, publish and withdraw lesson offers, and keep their listings in the catalogue up to date."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.text import slugify

from accounts.folding import fold
from bookings import DOMAIN
from bookings.models import LessonOffer, LessonPrice
from catalogue.listings import ListingDraft, publish_listing, withdraw_listing
from money import Money

_SLUG_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class OfferIncomplete(Exception):
    """The offer cannot be published yet. The message is shown to the teacher; `about` names what is missing, if anything."""

    def __init__(self, message: str, *, about: str = "") -> None:
        super().__init__(message)
        self.about = about


@transaction.atomic
def save_offer(*, offer: LessonOffer, prices: Sequence[Money]) -> LessonOffer:
    """Save an offer and its prices, one per currency, and update the listing of a published one.

    Raises OfferIncomplete if a published offer would be left without a price.
    """
    if not offer.slug:
        offer.slug = f"{slugify(fold(offer.title))[:60] or 'lesson'}-{get_random_string(6, _SLUG_LETTERS)}"
    elif offer.pk:
        # It may have been published or withdrawn since the form was opened; saving must not undo that.
        offer.is_published = LessonOffer.objects.select_for_update().get(pk=offer.pk).is_published
    offer.save()
    offer.prices.exclude(currency__in=[price.currency for price in prices]).delete()
    for price in prices:
        LessonPrice.objects.update_or_create(
            offer=offer, currency=price.currency, defaults={"amount_minor": price.minor}
        )
    refresh_listing(offer)
    return offer


@transaction.atomic
def publish_offer(*, offer: LessonOffer) -> None:
    """Show an offer in the catalogue and on its page. Raises OfferIncomplete."""
    offer = LessonOffer.objects.select_for_update(of=("self",)).select_related("teacher").get(pk=offer.pk)
    if not offer.teacher.is_approved:
        raise OfferIncomplete("Only approved teachers can publish.")
    offer.is_published = True
    offer.save(update_fields=["is_published"])
    refresh_listing(offer)


@transaction.atomic
def withdraw_offer(*, offer: LessonOffer) -> None:
    """Take an offer off the site. Requests made from it are kept."""
    # Waits for a transaction that publishes or saves the offer, so that its listing is removed too.
    LessonOffer.objects.select_for_update().get(pk=offer.pk)
    LessonOffer.objects.filter(pk=offer.pk).update(is_published=False)
    withdraw_listing(domain=DOMAIN, reference=str(offer.pk))


def refresh_listing(offer: LessonOffer) -> None:
    """Update the offer's listing in the catalogue. Raises OfferIncomplete if it is published but has no prices."""
    if not offer.is_published:
        withdraw_listing(domain=DOMAIN, reference=str(offer.pk))
        return
    prices = [price.amount for price in offer.prices.all()]
    if not prices:
        raise OfferIncomplete("Give the lesson a price first.", about="prices")
    publish_listing(
        ListingDraft(
            domain=DOMAIN,
            reference=str(offer.pk),
            kind_label="Private lesson",
            url=offer.get_absolute_url(),
            title=offer.title,
            summary=f"{offer.minutes} minutes with {offer.teacher.display_name}.",
            teacher=offer.teacher,
            prices=prices,
            subject=offer.subject,
            levels=offer.levels,
            language=offer.language,
            is_online=offer.is_online,
            place=offer.place,
            is_by_request=True,
            search_text=offer.description,
        )
    )
