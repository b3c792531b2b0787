"""Gifts: who a line was bought for, and who redeemed it."""

from __future__ import annotations

import uuid
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from payments.gifts.contracts import GiftWish, SoldGift
from payments.models.order import OrderLine


class Gift(models.Model):
    """What a buyer said about a line that is a gift, its code once it is paid, and the person who redeemed it.

    The code is not stored: it is derived from the site's secret key, this row's reference and the number of the code
    (`payments.gifts.codes`). The digest finds the row by what was typed.
    """

    line = models.OneToOneField(OrderLine, on_delete=models.PROTECT, related_name="gift")
    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # As the buyer typed them: shown to the receiver, and quoted in no mail but the name.
    receiver_name = models.CharField(max_length=150)
    receiver_email = models.EmailField(blank=True)
    message = models.CharField(max_length=500, blank=True)
    send_on = models.DateField(null=True, blank=True)
    code_number = models.PositiveSmallIntegerField(default=1, db_default=1)
    code_digest = models.CharField(  # noqa: DJ001  # unique, and several have none
        max_length=64, null=True, unique=True, editable=False
    )
    given_at = models.DateTimeField(
        null=True, editable=False, help_text="When it was paid, so that it can be redeemed."
    )
    mailed_at = models.DateTimeField(null=True, editable=False, help_text="When the receiver was mailed.")
    receiver = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="gifts"
    )
    redeemed_at = models.DateTimeField(null=True, editable=False)
    voided_at = models.DateTimeField(null=True, editable=False, help_text="From then on its code is of no use.")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(given_at=None, code_digest=None) | Q(given_at__isnull=False, code_digest__isnull=False),
                name="gift_has_a_code_once_it_is_paid",
            ),
            models.CheckConstraint(
                condition=Q(receiver=None, redeemed_at=None)
                | Q(receiver__isnull=False, redeemed_at__isnull=False, given_at__isnull=False),
                name="gift_redeemed_by_its_receiver",
            ),
        ]
        indexes = [
            models.Index(
                fields=["send_on"],
                condition=Q(mailed_at=None, given_at__isnull=False, redeemed_at=None) & ~Q(receiver_email=""),
                name="gift_to_mail",
            )
        ]

    def __str__(self) -> str:
        return f"Gift {self.reference}"

    def get_absolute_url(self) -> str:
        return reverse("payments:gift", args=[self.reference])

    @property
    def wish(self) -> GiftWish:
        """What the buyer said."""
        return GiftWish(
            receiver=self.receiver_name, email=self.receiver_email, message=self.message, send_on=self.send_on
        )

    def as_sold(self) -> SoldGift:
        """What the domain sees of it."""
        return SoldGift(
            receiver_name=self.receiver_name,
            receiver_id=self.receiver_id,
            given_at=self.given_at,
            is_over=self.is_over,
        )

    @property
    def is_over(self) -> bool:
        """Whether it was cancelled or refunded, so that there is nothing to redeem or to have."""
        return self.line.state == OrderLine.State.REVOKED

    @property
    def is_waiting(self) -> bool:
        """Whether it is paid and can still be redeemed, if its code is not void."""
        return self.given_at is not None and self.redeemed_at is None and self.line.is_delivered

    @property
    def state(self) -> str:
        """How far it is, in the words of pages."""
        if self.is_over:
            return "Cancelled"
        if self.redeemed_at:
            return "Redeemed"
        if self.voided_at:
            return "Code withdrawn"
        return "Not redeemed yet" if self.is_waiting else "Not paid"

    def is_to_mail(self, today: date) -> bool:
        """Whether the receiver is to be mailed by this day and was not yet."""
        is_due = self.send_on is None or self.send_on <= today
        return (
            bool(self.receiver_email) and self.mailed_at is None and is_due and self.is_waiting and not self.voided_at
        )
