"""The items a person wants to buy. Its prices are not binding: it is quoted again whenever it is shown or paid."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from payments.contracts import Item
from payments.gifts.contracts import wish_from


class Cart(models.Model):
    """One cart per user, or per guest's session until they sign in. All its lines are paid in one currency."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="cart"
    )
    # Beside their own cart, a buyer has one for each item that a link leads to pay alone (`payments.direct`). `path` is
    # the page on which they pay it.
    payer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    only_item = models.CharField(max_length=100, blank=True, db_default="")
    path = models.CharField(max_length=200, blank=True, db_default="")
    currency = models.CharField(
        max_length=3, blank=True, help_text="Chosen by the first line; empty while the cart is."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["updated_at"], condition=models.Q(user=None), name="cart_of_guest_by_last_use"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["payer", "only_item"], name="cart_once_per_payer_and_item"),
            models.CheckConstraint(
                condition=models.Q(payer=None, only_item="")
                | (models.Q(user=None, payer__isnull=False) & ~models.Q(only_item="")),
                name="cart_of_one_item_has_a_payer",
            ),
        ]

    def __str__(self) -> str:
        if self.payer:
            return f"Cart of {self.payer} for {self.only_item}"
        return f"Cart of {self.user}" if self.user else f"Guest cart {self.pk}"

    @property
    def buyer_id(self) -> int | None:
        """Who buys what is in it; None for a guest."""
        return self.user_id or self.payer_id


class CartLine(models.Model):
    """One item in a cart. `seen_unit_minor` is the price last shown, kept only to point out that it changed."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    domain = models.CharField(max_length=30)
    reference = models.CharField(max_length=64)
    quantity = models.PositiveSmallIntegerField(default=1)
    details = models.JSONField(default=dict, blank=True)
    # Who it is given to (`GiftWish`), and the key that tells gifts of one item apart; both empty for one's own.
    gift = models.JSONField(default=dict, blank=True, db_default=models.Value({}, models.JSONField()))
    gift_key = models.CharField(max_length=16, blank=True, db_default="")
    # As last shown, in case the item itself is deleted.
    title = models.CharField(max_length=200, blank=True, db_default="")
    seen_unit_minor = models.PositiveBigIntegerField()
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        # One fixed order everywhere, so that two checkouts for the same places take their locks in the same sequence.
        ordering = ["domain", "reference", "gift_key"]
        constraints = [
            models.UniqueConstraint(fields=["cart", "domain", "reference", "gift_key"], name="cart_line_once_per_item"),
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="cart_line_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.domain} {self.reference}"

    @property
    def item(self) -> Item:
        """The item, as its domain takes it."""
        return Item(
            domain=self.domain,
            reference=self.reference,
            quantity=self.quantity,
            details=self.details,
            gift=wish_from(self.gift),
        )
