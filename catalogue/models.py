"""Subjects, teachers' expertise, and listings with their prices."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from accounts.models import Teacher
from accounts.one_line import LineField
from accounts.time_zones import zone_named
from catalogue.artwork import Motif, Tone, motif_for, tone_for
from catalogue.currencies import pick_amount
from money import Money


class Level(models.TextChoices):
    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class Subject(models.Model):
    """A subject that is taught. It may belong to a broader one, which itself cannot: there are only two tiers."""

    name = LineField(max_length=80, unique=True)
    slug = models.SlugField(unique=True)
    broader = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="narrower")
    chosen_tone = models.CharField(
        "tone",
        max_length=8,
        choices=Tone,
        blank=True,
        help_text="Colour of its covers. If empty, derived from the slug.",
    )
    chosen_motif = models.CharField(
        "motif",
        max_length=8,
        choices=Motif,
        blank=True,
        help_text="Drawing on its covers. If empty, derived from the slug.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(broader=models.F("id")),
                name="subject_not_broader_than_itself",
                violation_error_message="A subject cannot belong to itself.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.broader is None:
            return
        if self.broader.broader_id is not None:
            raise ValidationError({"broader": "This subject itself belongs to a broader one."})
        if self.pk and self.narrower.exists():
            raise ValidationError({"broader": "Other subjects belong to this one, so it cannot belong to another."})

    def get_absolute_url(self) -> str:
        return f"{reverse('catalogue:browse')}?{urlencode({'subject': self.slug})}"

    @property
    def tone(self) -> str:
        return self.chosen_tone or tone_for(self.slug)

    @property
    def motif(self) -> str:
        return self.chosen_motif or motif_for(self.slug)


class Expertise(models.Model):
    """A subject that a teacher teaches, and its levels."""

    teacher = models.ForeignKey(Teacher, on_delete=models.CASCADE, related_name="expertises")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="expertises")
    levels = ArrayField(models.CharField(max_length=12, choices=Level))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["teacher", "subject"], name="expertise_once_per_subject")]

    def __str__(self) -> str:
        return f"{self.teacher}: {self.subject}"

    @property
    def level_labels(self) -> list[str]:
        return level_labels(self.levels)


class ListingQuerySet(models.QuerySet["Listing"]):
    """Filters and prefetches for public pages."""

    def shown(self, now: datetime) -> ListingQuerySet:
        """Listings of approved teachers that can still be bought: the same rule by which the domains sell."""
        return self.filter(Q(closes_at=None) | Q(closes_at__gt=now), teacher__status=Teacher.Status.APPROVED)

    def for_cards(self) -> ListingQuerySet:
        """Load everything that cards show, in two queries."""
        return self.select_related("teacher", "subject").prefetch_related("prices").defer("search", "search_text")


class Listing(models.Model):
    """One published offer in the catalogue. Written only by `catalogue.listings`."""

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
    closes_at = models.DateTimeField(null=True, help_text="No longer on sale at this time. Empty if it has no end.")
    cover = models.CharField(max_length=100, blank=True, help_text="Where its picture is stored. Empty if drawn.")
    time_zone = models.CharField(
        max_length=50, blank=True, help_text="The zone of the place. Empty online, where the reader's zone is used."
    )
    starts_on = models.DateField(null=True, help_text="The date at the place. Empty online.")
    is_by_request = models.BooleanField(default=False, help_text="Its time is arranged with the teacher.")
    is_sold_out = models.BooleanField(default=False)
    is_in_plans = models.BooleanField(
        default=False, db_default=False, help_text="Plans that open such offers open it, beside its own price."
    )
    search_text = models.TextField(blank=True, help_text="More text for the search.")
    search = SearchVectorField(null=True, editable=False)
    published_at = models.DateTimeField(auto_now_add=True)

    objects = ListingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["domain", "reference"], name="listing_once_per_offer")]
        indexes = [
            GinIndex(fields=["search"], name="listing_search"),
            models.Index(fields=["starts_at"], name="listing_by_start"),
            models.Index(fields=["closes_at"], name="listing_by_closing"),
            models.Index(fields=["-published_at"], name="listing_by_publication"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return self.url

    @property
    def level_labels(self) -> list[str]:
        return level_labels(self.levels)

    @property
    def cover_url(self) -> str:
        """The address of its picture; empty if it has none."""
        return default_storage.url(self.cover) if self.cover else ""

    @property
    def has_begun(self) -> bool:
        """Whether it is running already, although it can still be bought."""
        return self.starts_at is not None and self.starts_at <= timezone.now()

    @property
    def place_zone(self) -> ZoneInfo | None:
        """The time zone of its place; None if it has no place."""
        return zone_named(self.time_zone)

    def price_in(self, currency: str) -> Money | None:
        """The current price in this currency or, if it is not sold in it, in the one that the cart would use."""
        now = timezone.now()
        return pick_amount([price.amount for price in self.prices.all() if price.holds_at(now)], preferred=currency)


class ListingPriceQuerySet(models.QuerySet["ListingPrice"]):
    """Filters whose results depend on the given moment."""

    def holding(self, at: datetime) -> ListingPriceQuerySet:
        """Prices that apply at this moment: at most one for each listing and currency."""
        has_begun = Q(holds_from=None) | Q(holds_from__lte=at)
        return self.filter(has_begun, Q(holds_until=None) | Q(holds_until__gt=at))


class ListingPrice(models.Model):
    """The price of a listing in one currency, for display and filters only. The domain's quote is what is charged.

    It has a start and an end, so that an early-bird price ends on cards and in filters without a job at that time.
    """

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="prices")
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    holds_from = models.DateTimeField(null=True, help_text="Empty if it has no start.")
    holds_until = models.DateTimeField(
        null=True, help_text="It no longer applies at this time. Empty if it has no end."
    )

    objects = ListingPriceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["listing", "currency", "holds_until"],
                nulls_distinct=False,
                name="listing_one_price_per_currency_and_time",
            ),
        ]
        indexes = [models.Index(fields=["currency", "amount_minor"], name="listing_price_by_amount")]

    def __str__(self) -> str:
        return str(self.amount)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    def holds_at(self, at: datetime) -> bool:
        """Whether it applies at this moment."""
        has_begun = self.holds_from is None or self.holds_from <= at
        return has_begun and (self.holds_until is None or at < self.holds_until)


class SearchWord(models.Model):
    """A word that some listing contains or once contained, to which typing errors are corrected."""

    word = models.CharField(max_length=60, unique=True, help_text="As the search compares it.")
    written = models.CharField(max_length=60, help_text="As a listing writes it.")
    # A text vector, not an array. At 20,000 words the planner reads the whole table for either, as it expects many more
    # matches than there are; that takes 0.04 seconds with vectors and 0.9 with arrays.
    forms = SearchVectorField(editable=False)

    class Meta:
        indexes = [GinIndex(fields=["forms"], name="search_word_forms")]

    def __str__(self) -> str:
        return self.written


def level_labels(levels: list[str]) -> list[str]:
    """The names of the levels, easiest first."""
    return [str(level.label) for level in Level if level.value in levels]
