"""Keep products and prices of what is sold once in Stripe's catalogue. A repeat changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from catalogue.models import Listing, ListingPrice
from money import Money
from subscriptions import catalogue_gateway
from subscriptions.models import ItemPrice


def sync_all_items() -> Iterator[str]:
    """Bring everything on sale to Stripe and archive what is not any more; yields a line for each price.

    Raises StripeUnreachable or StripeRefused; what was done until then remains.
    """
    offered: set[tuple[str, str]] = set()
    listings = Listing.objects.shown(timezone.now()).exclude(prices=None).order_by("pk")
    for listing in listings.iterator(chunk_size=200):
        offered.add((listing.domain, listing.reference))
        yield from _sync_item(listing)
    for price in ItemPrice.objects.filter(is_active=True):
        if (price.domain, price.reference) not in offered:
            yield _archive(price)


def _sync_item(listing: Listing) -> Iterator[str]:
    amounts = [price.amount for price in ListingPrice.objects.holding(timezone.now()).filter(listing=listing)]
    known = {price.currency: price for price in _active_of(listing)}
    product_id = catalogue_gateway.put_product(
        f"lectern_{listing.domain}_{listing.reference}",
        name=listing.title,
        description=listing.summary,
        metadata={"domain": listing.domain, "reference": listing.reference},
    )
    for amount in amounts:
        before = known.pop(amount.currency, None)
        if before and before.amount == amount:
            yield f"{listing}, {amount}: {before.stripe_price_id}"
            continue
        if before:
            yield _archive(before)
        yield f"{listing}, {amount}: {_offer(listing, amount, product_id)}"
    for price in known.values():
        yield _archive(price)


def _active_of(listing: Listing) -> list[ItemPrice]:
    return list(ItemPrice.objects.filter(domain=listing.domain, reference=listing.reference, is_active=True))


def _offer(listing: Listing, amount: Money, product_id: str) -> str:
    """An amount that was offered before is offered again at the same price."""
    key = f"{listing.domain}-{listing.reference}"
    price_id = catalogue_gateway.find_or_create_price(product_id, amount=amount, interval="", key=key)
    catalogue_gateway.set_price_active(price_id, is_active=True)
    with transaction.atomic():
        ItemPrice.objects.update_or_create(
            stripe_price_id=price_id,
            defaults={
                "domain": listing.domain,
                "reference": listing.reference,
                "amount_minor": amount.minor,
                "currency": amount.currency,
                "stripe_product_id": product_id,
                "is_active": True,
            },
        )
    return price_id


def _archive(price: ItemPrice) -> str:
    catalogue_gateway.set_price_active(price.stripe_price_id, is_active=False)
    ItemPrice.objects.filter(pk=price.pk).update(is_active=False)
    return f"{price}: {price.stripe_price_id}, archived"
