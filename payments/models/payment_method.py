"""The cards and accounts that students saved, as Stripe last reported them."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.utils import timezone

from payments.models.customer import Customer

_EXPIRES_SOON_MONTHS = 2


class PaymentMethod(models.Model):
    """A copy of what is needed to show it. Stripe has the card; pages must not wait for Stripe to show a cart.

    Changed only by `payments.saved_cards.refreshing`, with all others of the customer.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="methods")
    stripe_payment_method_id = models.CharField(max_length=100, unique=True)
    # Stripe's type: card, sepa_debit, link …
    kind = models.CharField(max_length=40)
    # "Visa", "SEPA Direct Debit".
    name = models.CharField(max_length=60)
    last_four = models.CharField(max_length=4, blank=True)
    # The last month in which the card can be used; both empty for accounts.
    expires_year = models.PositiveSmallIntegerField(null=True, blank=True)
    expires_month = models.PositiveSmallIntegerField(null=True, blank=True)
    is_default = models.BooleanField(default=False)
    # The student has agreed that it is offered again. A subscription's card is kept without that.
    is_offered_again = models.BooleanField(default=False)

    class Meta:
        ordering = ["-is_default", "-pk"]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """As on a receipt, with the last four digits: "Visa •••• 4242"."""
        return f"{self.name} •••• {self.last_four}" if self.last_four else self.name

    @property
    def has_expired(self) -> bool:
        return self._months_left is not None and self._months_left < 0

    @property
    def expires_soon(self) -> bool:
        """Whether the card expires this month or within the next two."""
        return self._months_left is not None and 0 <= self._months_left <= _EXPIRES_SOON_MONTHS

    @property
    def can_pay_at_once(self) -> bool:
        """Whether one click pays with it. Bank debits need another mandate, which Stripe's page asks for."""
        return self.kind == "card" and self.is_offered_again and not self.has_expired

    @property
    def _months_left(self) -> int | None:
        if self.expires_year is None or self.expires_month is None:
            return None
        today: date = timezone.now().date()
        return (self.expires_year - today.year) * 12 + self.expires_month - today.month
