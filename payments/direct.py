"""Pay for one item alone, by a link: it gets a cart of its own, and what else is in the buyer's cart stays there."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from accounts.models import User
from payments.checkout import start_checkout
from payments.contracts import Item
from payments.models import Cart, CartLine, Order, OrderLine, Payment
from payments.pricing import PricedCart, price_items
from payments.return_addresses import ReturnAddresses, own_addresses
from payments.superseding import student_changes


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidAlone:
    """One item that a buyer pays alone, in this currency, on the page at `path`."""

    item: Item
    currency: str
    path: str

    @property
    def key(self) -> str:
        """What the item is, as its cart stores it."""
        return f"{self.item.domain}:{self.item.reference}"


def price_alone(wanted: PaidAlone, *, buyer_id: int) -> PricedCart:
    """What the item costs this buyer now, or why they cannot buy it. Writes nothing."""
    return price_items([wanted.item], buyer_id=buyer_id, currency=wanted.currency)


def start_direct_checkout(*, user: User, wanted: PaidAlone, agreed_digest: str) -> Payment:
    """The payment with the page on which the buyer pays the item. From two devices it is the same one.

    Raises as `start_checkout`.
    """
    ours = own_addresses()
    return start_checkout(
        user=user,
        cart=_cart_of(user, wanted),
        agreed_digest=agreed_digest,
        way=ReturnAddresses(success=ours.success, cancel=f"{settings.BASE_URL}{wanted.path}?from=payment"),
    )


def order_holding(line_id: int | None, *, buyer_id: int) -> Order | None:
    """The buyer's order, not paid yet, whose line holds an item; None if there is none."""
    unpaid = [Order.State.AWAITING_PAYMENT, Order.State.PAYMENT_PENDING]
    lines = OrderLine.objects.filter(pk=line_id or 0, order__user=buyer_id, order__state__in=unpaid)
    line = lines.select_related("order__cart").first()
    return line.order if line else None


@transaction.atomic
def _cart_of(user: User, wanted: PaidAlone) -> Cart:
    """The cart that holds this item alone. An open page for it stays open."""
    Cart.objects.get_or_create(payer=user, only_item=wanted.key)
    cart = Cart.objects.select_for_update().get(payer=user, only_item=wanted.key)
    with student_changes(cart):
        cart.currency, cart.path = wanted.currency, wanted.path
        cart.save(update_fields=["currency", "path", "updated_at"])
        _hold_only(wanted.item, cart)
    return cart


def _hold_only(item: Item, cart: Cart) -> None:
    CartLine.objects.update_or_create(
        cart=cart,
        domain=item.domain,
        reference=item.reference,
        gift_key="",
        defaults={"quantity": item.quantity, "details": dict(item.details)},
        create_defaults={"quantity": item.quantity, "details": dict(item.details), "seen_unit_minor": 0},
    )
