"""The tax of a line: how much, at which rate, who owes it, and in whose name the line was sold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from money import Money
from money.taking import Parts
from payments.tax.words import name_rate


class TaxedLine(models.Model):
    """The tax in a line's amount, in minor units, frozen when the order is written or when Stripe has computed it."""

    tax_bps = models.PositiveIntegerField(default=0)
    tax_minor = models.PositiveBigIntegerField(default=0, help_text="The part of the amount that is tax.")
    # All of the tax, or zero: whether it was added to the list price, and whether the platform owes it, not the teacher.
    tax_added_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    platform_tax_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    # The teacher who owes the tax of this line, as they were named at the time; empty if the platform is the seller.
    tax_debtor_name = models.CharField(max_length=150, blank=True, default="", db_default="", editable=False)
    tax_debtor_number = models.CharField(max_length=40, blank=True, default="", db_default="", editable=False)

    class Meta:
        abstract = True

    if TYPE_CHECKING:  # of the line itself
        order: models.ForeignKey[Any, Any]
        amount_minor: models.PositiveBigIntegerField[int, int]
        platform_fee_minor: models.PositiveBigIntegerField[int, int]
        refunded_minor: models.PositiveBigIntegerField[int, int]
        refunded_fee_minor: models.PositiveBigIntegerField[int, int]
        refunded_tax_minor: models.PositiveBigIntegerField[int, int]
        disputed_minor: models.PositiveBigIntegerField[int, int]
        disputed_fee_minor: models.PositiveBigIntegerField[int, int]
        disputed_share_minor: models.PositiveBigIntegerField[int, int]

    def _money(self, minor: int) -> Money:
        return Money(minor, self.order.currency)

    @property
    def tax(self) -> Money:
        """The tax contained in the amount."""
        return self._money(self.tax_minor)

    @property
    def tax_added(self) -> Money:
        """The tax that was added to the price; zero where that includes it."""
        return self._money(self.tax_added_minor)

    @property
    def net_amount(self) -> Money:
        """The amount without its tax."""
        return self._money(self.amount_minor - self.tax_minor)

    @property
    def price(self) -> Money:
        """The amount as the list prices count: without a tax that is added to them."""
        return self._money(self.amount_minor - self.tax_added_minor)

    @property
    def tax_name(self) -> str:
        """The tax and its rate: "VAT 20 %"; empty without a tax."""
        return name_rate(self.tax_bps) if self.tax_bps else ""

    @property
    def platform_tax(self) -> Money:
        """The tax that the platform owes; zero if the teacher does."""
        return self._money(self.platform_tax_minor)

    @property
    def parts(self) -> Parts:
        """The amount as it is divided between the platform's fee, its tax, and the teacher."""
        return Parts(amount=self.amount_minor, fee=self.platform_fee_minor, tax=self.platform_tax_minor)

    @property
    def refunded_parts(self) -> Parts:
        """What refunds take of each part."""
        tax = self.refunded_tax_minor if self.platform_tax_minor else 0
        return Parts(amount=self.refunded_minor, fee=self.refunded_fee_minor, tax=tax)

    @property
    def disputed_parts(self) -> Parts:
        """What disputes take of each part."""
        tax = self.disputed_minor - self.disputed_fee_minor - self.disputed_share_minor
        return Parts(amount=self.disputed_minor, fee=self.disputed_fee_minor, tax=tax)

    @property
    def tax_debtor_text(self) -> str:
        """Who sold it, where that is the teacher: "Sold by Ada Lovelace, VAT number: GB123"; empty otherwise."""
        if not self.tax_debtor_name:
            return ""
        number = f", {settings.TAX_LABEL} number: {self.tax_debtor_number}" if self.tax_debtor_number else ""
        return f"Sold by {self.tax_debtor_name}{number}"


_NONE_OF_THE_PLATFORM = Q(platform_tax_minor=0)
TAX_CONSTRAINTS = (
    models.CheckConstraint(condition=Q(tax_minor__lte=F("amount_minor")), name="order_line_tax_within_amount"),
    models.CheckConstraint(
        condition=(Q(tax_added_minor=0) | Q(tax_added_minor=F("tax_minor")))
        & (_NONE_OF_THE_PLATFORM | Q(platform_tax_minor=F("tax_minor"))),
        name="order_line_tax_is_of_one_kind",
    ),
    # What the parts of a refund or dispute leave of its amount is tax that the platform owed.
    models.CheckConstraint(
        condition=(
            _NONE_OF_THE_PLATFORM
            & Q(refunded_minor=F("refunded_fee_minor") + F("refunded_share_minor"))
            & Q(disputed_minor=F("disputed_fee_minor") + F("disputed_share_minor"))
            & Q(refunded_tax_minor__lte=F("tax_minor"))
        )
        | (
            Q(platform_tax_minor__gt=0)
            & Q(refunded_minor=F("refunded_fee_minor") + F("refunded_share_minor") + F("refunded_tax_minor"))
            & Q(disputed_minor__gte=F("disputed_fee_minor") + F("disputed_share_minor"))
            & Q(
                refunded_tax_minor__lte=F("platform_tax_minor")
                - F("disputed_minor")
                + F("disputed_fee_minor")
                + F("disputed_share_minor")
            )
        ),
        name="order_line_taken_tax_within_tax",
    ),
)
