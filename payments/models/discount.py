"""Discount codes, what carts hold of them, and their uses by orders."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import Teacher
from money import Money
from money.models import validate_currency
from payments.models.cart import Cart
from payments.models.order import Order


class DiscountCode(models.Model):
    """A code that takes a percentage or an amount off what it applies to. How it is used: `payments.discounts`."""

    class BorneBy(models.TextChoices):
        # The teacher's share is that of the price without the discount.
        PLATFORM = "platform", "The platform"
        # Fee and share are parts of the discounted price.
        TEACHER = "teacher", "The teacher"

    # Folded when it is stored (`discounts.codes.fold`), so that one code has one spelling.
    code = models.CharField(max_length=40, unique=True)
    percent_bps = models.PositiveIntegerField(
        "percentage in basis points", null=True, blank=True, help_text="1500 is 15 %. Empty if it takes an amount off."
    )
    # Which lines it applies to; what is empty restricts nothing.
    domain = models.CharField(max_length=30, blank=True, help_text="Only what is sold by this domain.")
    reference = models.CharField("item", max_length=64, blank=True, help_text="Only this item of the domain.")
    only_teacher = models.ForeignKey(
        Teacher,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Only what this teacher sells.",
    )
    borne_by = models.CharField(max_length=10, choices=BorneBy, default=BorneBy.PLATFORM)
    bearer = models.ForeignKey(
        Teacher,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="discount_codes",
        help_text="The teacher who bears it. It then applies only to what they sell.",
    )
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="From this moment on it is no longer valid.")
    total_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Empty for no limit.")
    student_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Uses by one student at most.")
    is_stackable = models.BooleanField(
        "can be combined", default=False, help_text="With other codes that can be combined, in one order."
    )
    is_active = models.BooleanField(default=True)
    batch = models.CharField(max_length=60, blank=True, db_index=True, help_text="Names codes that were made together.")
    note = models.CharField(max_length=200, blank=True, help_text="For staff.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    # Counted by a trigger from the uses that are held or confirmed. The check makes it the limit of all processes.
    used = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^[A-Z0-9][A-Z0-9_-]{2,39}$"), name="discount_code_folded"),
            models.CheckConstraint(
                condition=Q(percent_bps__isnull=True) | Q(percent_bps__gte=1, percent_bps__lte=10_000),
                name="discount_code_percentage_of_the_whole",
            ),
            models.CheckConstraint(
                condition=Q(borne_by="platform", bearer=None) | Q(borne_by="teacher", bearer__isnull=False),
                name="discount_code_has_its_bearer",
            ),
            models.CheckConstraint(condition=Q(reference="") | ~Q(domain=""), name="discount_code_item_of_a_domain"),
            models.CheckConstraint(
                condition=Q(total_limit=None) | Q(used__lte=F("total_limit")), name="discount_code_within_its_limit"
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(starts_at__lt=F("ends_at")),
                name="discount_code_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def get_admin_url(self) -> str:
        return reverse("admin:payments_discountcode_change", args=[self.pk])

    @property
    def percent(self) -> str:
        """The percentage as text, such as "12.5 %"; empty if it takes an amount off."""
        return f"{self.percent_bps / 100:g} %" if self.percent_bps else ""

    def has_ended(self, at: datetime) -> bool:
        """Whether it can no longer be used, its limit aside."""
        return not self.is_active or (self.ends_at is not None and self.ends_at <= at)


class DiscountAmount(models.Model):
    """A code's terms in one currency: what it takes off, and what must be spent. With any, it is valid only in these."""

    code = models.ForeignKey(DiscountCode, on_delete=models.CASCADE, related_name="amounts")
    currency = models.CharField(max_length=3, validators=[validate_currency])
    off_minor = models.PositiveBigIntegerField(null=True, blank=True)
    least_spend_minor = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["currency"]
        constraints = [
            models.UniqueConstraint(fields=["code", "currency"], name="discount_amount_once_per_currency"),
            models.CheckConstraint(
                condition=Q(off_minor__isnull=True) | Q(off_minor__gt=0), name="discount_amount_takes_something_off"
            ),
        ]

    def __str__(self) -> str:
        return self.currency

    @property
    def off(self) -> Money | None:
        return None if self.off_minor is None else Money(self.off_minor, self.currency)

    @property
    def least_spend(self) -> Money:
        return Money(self.least_spend_minor, self.currency)


class CartDiscount(models.Model):
    """A code that was entered in a cart. It promises nothing: like prices, it is looked at again at every step."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="discounts")
    code = models.ForeignKey(DiscountCode, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["cart", "code"], name="cart_discount_once_per_code")]

    def __str__(self) -> str:
        return str(self.code)


class Redemption(models.Model):
    """A use of a code by an order: held from before the payment page exists, confirmed when it is paid, or released.

    Triggers count it on its code, under the lock of the code's row, and refuse what exceeds a limit.
    """

    class State(models.TextChoices):
        HELD = "held", "Held"
        CONFIRMED = "confirmed", "Confirmed"
        RELEASED = "released", "Released"
        # Released first, and paid all the same when the limit was used up by others. Not counted.
        BEYOND_LIMIT = "beyond_limit", "Beyond the limit"

    code = models.ForeignKey(DiscountCode, on_delete=models.PROTECT, related_name="redemptions")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="redemptions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=15, choices=State, default=State.HELD)
    currency = models.CharField(max_length=3)
    discount_minor = models.PositiveBigIntegerField(help_text="What the code took off the order.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_at = models.DateTimeField(null=True, editable=False, help_text="When it was confirmed or released.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "code"], name="redemption_once_per_order"),
            models.CheckConstraint(condition=Q(discount_minor__gt=0), name="redemption_takes_something_off"),
        ]
        indexes = [models.Index(fields=["code", "user"], name="redemption_of_student")]

    def __str__(self) -> str:
        return f"{self.code} in {self.order}"

    @property
    def discount(self) -> Money:
        return Money(self.discount_minor, self.currency)
