"""Orders and their frozen lines."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from accounts.models import Teacher
from money import Money
from pages.models import PageVersion
from payments.contracts import SoldLine
from payments.models.cart import Cart
from payments.models.platform_discount import PLATFORM_DISCOUNT_CONSTRAINTS, PlatformDiscounted
from payments.models.taxed_line import TAX_CONSTRAINTS, TaxedLine
from payments.session_line import SessionLine
from payments.tax.totals import TaxTotal, totals_by_rate


class Order(models.Model):
    """One purchase by one student in one currency. What its lines promise and cost is frozen when it is written."""

    class State(models.TextChoices):
        AWAITING_PAYMENT = "awaiting_payment", "Awaiting payment"
        # The student has completed Stripe's page; the bank has not confirmed the debit yet.
        PAYMENT_PENDING = "payment_pending", "Payment pending"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"

    number = models.CharField(max_length=16, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders")
    cart = models.ForeignKey(Cart, null=True, blank=True, on_delete=models.SET_NULL, related_name="orders")
    # What the cart held and cost when the student pressed pay: the same digest means the same purchase.
    cart_digest = models.CharField(max_length=64, editable=False)
    currency = models.CharField(max_length=3)
    # The terms that the student accepted when they pressed pay; None if the site had none.
    terms = models.ForeignKey(PageVersion, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    # Sums over the lines. At the end of a transaction the database refuses an order whose lines do not add up to it.
    subtotal_minor = models.PositiveBigIntegerField(help_text="At list prices, before discounts.")
    discount_minor = models.PositiveBigIntegerField(db_default=0)
    total_minor = models.PositiveBigIntegerField(help_text="What is paid, tax included.")
    tax_minor = models.PositiveBigIntegerField(db_default=0, help_text="The part of the total that is tax.")
    tax_added_minor = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="The part of the tax that the list prices do not include."
    )
    # Stripe Tax computes the tax; until it is paid its lines have none.
    is_taxed_by_stripe = models.BooleanField(default=False, db_default=False, editable=False)
    state = models.CharField(max_length=20, choices=State, default=State.AWAITING_PAYMENT)
    created_at = models.DateTimeField(auto_now_add=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-created_at"]
        permissions = [("refund_order", "Can refund orders")]
        indexes = [models.Index(fields=["user", "-created_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["cart"], condition=Q(state="awaiting_payment"), name="order_one_payable_per_cart"
            ),
            models.CheckConstraint(
                condition=~Q(state="completed") | Q(paid_at__isnull=False), name="order_completed_was_paid"
            ),
            models.CheckConstraint(
                condition=Q(total_minor=F("subtotal_minor") - F("discount_minor") + F("tax_added_minor")),
                name="order_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(tax_minor__lte=F("total_minor"), tax_added_minor__lte=F("tax_minor")),
                name="order_tax_within_total",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("payments:order", args=[self.number])

    @property
    def subtotal(self) -> Money:
        """The lines at list prices."""
        return Money(self.subtotal_minor, self.currency)

    @property
    def discount(self) -> Money:
        return Money(self.discount_minor, self.currency)

    @property
    def code_names(self) -> str:
        """The discount codes it used, such as "SPRING, STAFF"; empty if none. Prefetch `redemptions__code`."""
        return ", ".join(use.code.code for use in self.redemptions.all())

    @property
    def tax(self) -> Money:
        """The tax contained in the total."""
        return Money(self.tax_minor, self.currency)

    @property
    def tax_added(self) -> Money:
        """The tax that was added to the prices; zero where they include it."""
        return Money(self.tax_added_minor, self.currency)

    @property
    def taxes(self) -> Sequence[TaxTotal]:
        """The tax by rate; what Stripe computes is known once it is paid. In lists, prefetch `lines`."""
        return totals_by_rate((line.tax_bps, line.amount, line.tax, line.tax_added) for line in self.lines.all())

    @property
    def total(self) -> Money:
        """What the student pays, tax included."""
        return Money(self.total_minor, self.currency)

    @property
    def is_paid(self) -> bool:
        return self.state == Order.State.COMPLETED

    @property
    def refund_state(self) -> str:
        """How far the order is refunded, as a text; empty if not at all. In lists, prefetch `payments__refunds`."""
        return next((payment.refund_state for payment in self.payments.all() if payment.has_succeeded), "")

    @property
    def dispute_state(self) -> str:
        """Whether disputes take or took part of the order, as a text; empty if not. In lists, prefetch `payments`."""
        return next((payment.dispute_state for payment in self.payments.all() if payment.has_succeeded), "")

    @property
    def receipt_name(self) -> str:
        """The file name of the receipt."""
        return f"receipt-{self.number}.pdf"


class OrderLine(PlatformDiscounted, TaxedLine):
    """One frozen line: what was promised, what it cost, and how the money is shared. Amounts in the order's currency."""

    class State(models.TextChoices):
        RESERVED = "reserved"
        FULFILLED = "fulfilled"
        # Paid, but the place was gone: refunded automatically.
        UNDELIVERABLE = "undeliverable"
        RELEASED = "released"
        REVOKED = "revoked"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    domain = models.CharField(max_length=30)
    reference = models.CharField(max_length=64)
    quantity = models.PositiveSmallIntegerField()
    details = models.JSONField(default=dict, blank=True)
    title = models.CharField(max_length=200)
    description = models.CharField(max_length=300, blank=True)
    # None for what the platform itself sells: then no teacher has a share.
    teacher = models.ForeignKey(Teacher, null=True, blank=True, on_delete=models.PROTECT, related_name="sold_lines")
    policy = models.JSONField(default=dict, encoder=DjangoJSONEncoder, blank=True)
    unit_amount_minor = models.PositiveBigIntegerField()
    discount_minor = models.PositiveBigIntegerField(default=0)
    amount_minor = models.PositiveBigIntegerField(help_text="What is paid for this line, tax included.")
    commission_bps = models.PositiveIntegerField()
    platform_fee_minor = models.PositiveBigIntegerField()
    teacher_share_minor = models.PositiveBigIntegerField()
    state = models.CharField(max_length=15, choices=State, default=State.RESERVED)
    state_reason = models.CharField(max_length=300, blank=True)
    fulfilled_at = models.DateTimeField(null=True, blank=True)
    # What is refunded or about to be, counted by triggers from the live refunds' allocations.
    refunded_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    refunded_fee_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    refunded_share_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    refunded_tax_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    refunded_quantity = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    # How many units their domain has revoked, with or without a refund. Only `revocation.revoke_units` writes it.
    revoked_quantity = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    # How many of these no refund returns: cancelled without a refund, or taken back by staff after a refund of an amount.
    unreturned_quantity = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    # What disputes took or may take, counted by triggers from their allocations.
    disputed_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    disputed_fee_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    disputed_share_minor = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    # As in the cart; empty for what is no gift. The rest about a gift is in `Gift`.
    gift_key = models.CharField(max_length=16, blank=True, db_default="", editable=False)
    # The cart line this was written from, so that exactly what was bought is removed from the cart.
    cart_line_id = models.BigIntegerField(null=True, editable=False)

    class Meta:
        ordering = ["domain", "reference", "gift_key"]
        constraints = [
            models.CheckConstraint(condition=Q(gift_key="") | Q(quantity=1), name="order_line_gift_is_one_unit"),
            models.CheckConstraint(
                condition=Q(amount_minor=F("platform_fee_minor") + F("teacher_share_minor") + F("platform_tax_minor")),
                name="order_line_fee_share_and_tax_are_the_amount",
            ),
            models.CheckConstraint(
                condition=Q(
                    amount_minor=F("unit_amount_minor") * F("quantity") - F("discount_minor") + F("tax_added_minor")
                ),
                name="order_line_amount_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(teacher__isnull=False) | Q(teacher_share_minor=0, platform_discount_minor=0),
                name="order_line_of_platform_has_no_share",
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_line_quantity_positive"),
            models.CheckConstraint(
                condition=Q(refunded_minor__lte=F("amount_minor") - F("disputed_minor")),
                name="order_line_refunded_and_disputed_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(refunded_fee_minor__lte=F("platform_fee_minor") - F("disputed_fee_minor"))
                & Q(refunded_share_minor__lte=F("teacher_share_minor") - F("disputed_share_minor")),
                name="order_line_taken_parts_within_parts",
            ),
            models.CheckConstraint(
                condition=Q(refunded_quantity__lte=F("quantity")), name="order_line_refunded_within_quantity"
            ),
            models.CheckConstraint(
                condition=Q(unreturned_quantity__lte=F("revoked_quantity")), name="order_line_unreturned_within_revoked"
            ),
            models.CheckConstraint(
                condition=Q(state="revoked", revoked_quantity=F("quantity"))
                | (~Q(state="revoked") & Q(revoked_quantity__lt=F("quantity"))),
                name="order_line_revoked_with_its_last_unit",
            ),
            *PLATFORM_DISCOUNT_CONSTRAINTS,
            *TAX_CONSTRAINTS,
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def seller_name(self) -> str:
        """Who sold it: the teacher, or the site itself."""
        return self.teacher.display_name if self.teacher else settings.SITE_NAME

    @property
    def unit_amount(self) -> Money:
        return self._money(self.unit_amount_minor)

    @property
    def list_amount(self) -> Money:
        """The price of all units before the discount."""
        return self.unit_amount * self.quantity

    @property
    def discount(self) -> Money:
        return self._money(self.discount_minor)

    @property
    def counted_title(self) -> str:
        """The title with the quantity in front, where there are several."""
        return self.title if self.quantity == 1 else f"{self.quantity} × {self.title}"

    @property
    def amount(self) -> Money:
        return self._money(self.amount_minor)

    @property
    def platform_fee(self) -> Money:
        return self._money(self.platform_fee_minor)

    @property
    def teacher_share(self) -> Money:
        return self._money(self.teacher_share_minor)

    @property
    def earned_share(self) -> Money:
        """What the teacher earned with the sale: their share of the amount and of what the platform pays into it."""
        return self._money(self.teacher_share_minor + self.platform_discount_share_minor)

    @property
    def refunded(self) -> Money:
        """The amount of this line that is refunded or about to be."""
        return self._money(self.refunded_minor)

    @property
    def disputed(self) -> Money:
        """The amount of this line that disputes took or may take."""
        return self._money(self.disputed_minor)

    @property
    def refundable(self) -> Money:
        """The most that can still be refunded of this line. What is disputed is not refundable."""
        return self._money(self.amount_minor - self.refunded_minor - self.disputed_minor)

    @property
    def share_left(self) -> Money:
        """What refunds and disputes have left of what the teacher earned."""
        taken = self.refunded_share_minor + self.disputed_share_minor
        return self._money(self.teacher_share_minor - taken + self.platform_share_left_minor)

    @property
    def is_delivered(self) -> bool:
        return self.state == OrderLine.State.FULFILLED

    @property
    def was_delivered(self) -> bool:
        """Whether it was ever delivered, so that platform and teacher earned their parts."""
        return self.state in (OrderLine.State.FULFILLED, OrderLine.State.REVOKED)

    @property
    def is_gift(self) -> bool:
        return bool(self.gift_key)

    @property
    def item_key(self) -> tuple[str, str, str]:
        """What tells it apart from other lines, as `Item.key`."""
        return self.domain, self.reference, self.gift_key

    def as_session_line(self) -> SessionLine:
        """The line as Stripe's page shows it: exactly its price, after the discount and before a tax that is added."""
        return SessionLine.over(self.price, title=self.title, description=self.description, quantity=self.quantity)

    def as_sold(self) -> SoldLine:
        """The line as its domain sees it."""
        return SoldLine(
            id=self.pk,
            order_number=self.order.number,
            reference=self.reference,
            quantity=self.quantity,
            details=self.details,
            title=self.title,
            description=self.description,
            buyer_id=self.order.user_id,
            teacher_id=self.teacher_id,
            amount=self.amount,
            policy=self.policy,
            share=self.earned_share,
            gift=self.gift.as_sold() if self.is_gift else None,
        )


def lines_in_lock_order(order: Order) -> Sequence[OrderLine]:
    """The order's lines in lock order: the sequence in which their places are reserved, delivered, released or revoked.

    By teacher within a domain, since a domain may lock a teacher's calendar for each line; then by reference. The cart
    and the order are locked before them: see "One order of locks" in docs/decisions/payments.md.
    """
    lines = list(order.lines.order_by("domain", "teacher_id", "reference", "gift_key"))
    for line in lines:
        line.order = order
    return lines
