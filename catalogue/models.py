"""Subjects, what teachers teach, and listings."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from accounts.models import Teacher
from money import Money


class Level(models.TextChoices):
    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class Subject(models.Model):
    """What is taught. A subject may belong to a broader one, one step up."""

    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(unique=True)
    broader = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="narrower")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Expertise(models.Model):
    """That a teacher teaches a subject, and to which levels."""

    teacher = models.ForeignKey(Teacher, on_delete=models.CASCADE, related_name="expertises")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="expertises")
    levels = ArrayField(models.CharField(max_length=12, choices=Level))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["teacher", "subject"], name="expertise_once_per_subject")]

    def __str__(self) -> str:
        return f"{self.teacher}: {self.subject}"


class Listing(models.Model):
    """One published offer as the catalogue shows it. Written only through `catalogue.listings`."""

    domain = models.CharField(max_length=30)
    reference = models.CharField(max_length=64)
    kind_label = models.CharField(max_length=30, help_text="Workshop, Course, Private lesson.")
    url = models.CharField(max_length=300)
    title = models.CharField(max_length=200)
    summary = models.CharField(max_length=300, blank=True)
    teacher = models.ForeignKey(Teacher, on_delete=models.CASCADE, related_name="listings")
    subject = models.ForeignKey(Subject, null=True, on_delete=models.PROTECT, related_name="listings")
    levels = ArrayField(models.CharField(max_length=12, choices=Level), default=list)
    language = models.CharField(max_length=10, default="en")
    is_online = models.BooleanField(default=False)
    place = models.CharField(max_length=120, blank=True)
    starts_at = models.DateTimeField(null=True)
    is_sold_out = models.BooleanField(default=False)
    search = SearchVectorField(null=True, editable=False)
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["domain", "reference"], name="listing_once_per_offer")]
        indexes = [GinIndex(fields=["search"], name="listing_search"), models.Index(fields=["starts_at"])]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return self.url


class ListingPrice(models.Model):
    """The price shown for a listing in one currency, for display and filters. The domain's quote is what is charged."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="prices")
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["listing", "currency"], name="listing_one_price_per_currency")]
        indexes = [models.Index(fields=["currency", "amount_minor"])]

    def __str__(self) -> str:
        return str(self.amount)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
