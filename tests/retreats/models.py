"""Retreats, and the stays that take their places."""

from django.conf import settings
from django.db import models
from django.urls import reverse

from accounts.models import Teacher
from money import Money


class Retreat(models.Model):
    """A few days with one teacher. Its price is in minor units of the one currency it is sold in."""

    teacher = models.ForeignKey(Teacher, on_delete=models.PROTECT, related_name="retreats")
    title = models.CharField(max_length=120)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    places = models.PositiveSmallIntegerField()
    price_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    is_on_sale = models.BooleanField(default=True)

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("retreats:detail", args=[self.pk])

    @property
    def price(self):
        return Money(self.price_minor, self.currency)


class Stay(models.Model):
    """The places of one order line. `quantity` were bought, of which `revoked` were refunded."""

    class State(models.TextChoices):
        HELD = "held"
        CONFIRMED = "confirmed"
        RELEASED = "released"

    retreat = models.ForeignKey(Retreat, on_delete=models.PROTECT, related_name="stays")
    guest = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="stays")
    order_line_id = models.BigIntegerField(unique=True)
    quantity = models.PositiveSmallIntegerField()
    revoked = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State)
    held_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(revoked__lte=models.F("quantity")), name="stay_revoked_in_range"),
        ]

    def __str__(self):
        return f"{self.quantity} × {self.retreat}"

    @property
    def places(self):
        return self.quantity - self.revoked
