"""The abstract model of a price."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from money.amounts import Money, is_currency
from money.limits import MOST_MINOR, CannotBeCharged, check_chargeable


def validate_currency(code: str) -> None:
    """Refuse an unknown currency."""
    if not is_currency(code):
        raise ValidationError("Give the three capital letters of a currency, such as GBP.")


def validate_price(amount_minor: int, currency: str, *, field: str) -> None:
    """Refuse an amount that a card cannot be charged; the error belongs to the named form field."""
    try:
        check_chargeable(Money(amount_minor, currency))
    except CannotBeCharged as error:
        raise ValidationError({field: str(error)}) from error


class Price(models.Model):
    """What something costs in one currency. The thing sold is a foreign key of the model that inherits this."""

    currency = models.CharField(max_length=3, validators=[validate_currency])
    amount_minor = models.PositiveBigIntegerField(
        help_text="In the currency's smallest unit: 4500 is £45.00, but ¥4,500."
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, amount_minor__lte=MOST_MINOR), name="%(class)s_can_be_charged"
            ),
        ]

    def __str__(self) -> str:
        # The admin also prints rows that it is about to refuse.
        return str(self.amount) if self._is_amount else f"{self.amount_minor} {self.currency}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    def clean(self) -> None:
        super().clean()
        if self._is_amount:  # otherwise the fields' own errors say what is wrong
            validate_price(self.amount_minor, self.currency, field="amount_minor")

    @property
    def _is_amount(self) -> bool:
        return is_currency(self.currency) and self.amount_minor is not None
