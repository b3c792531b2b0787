"""What is sold once, in Stripe's catalogue too, for those who want it there."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from money import Money


class ItemPrice(models.Model):
    """One price of one item at Stripe. Payments never use it: the domain's quote is what is charged.

    An amount at Stripe never changes: another amount is another row, and the old one is archived.
    """

    domain = models.CharField(max_length=30)
    reference = models.CharField(max_length=64)
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    is_active = models.BooleanField(default=True, db_default=True)
    stripe_product_id = models.CharField(max_length=120)
    stripe_price_id = models.CharField(max_length=100, unique=True)

    class Meta:
        ordering = ["domain", "reference", "currency", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["domain", "reference", "currency"],
                condition=Q(is_active=True),
                name="item_price_one_active_per_currency",
            )
        ]

    def __str__(self) -> str:
        return f"{self.domain} {self.reference}, {self.amount}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
