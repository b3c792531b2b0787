"""Lessons that a teacher offers, with their usual prices."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.models import Teacher
from accounts.one_line import LineField
from accounts.places_and_languages import is_language
from bookings.rules import LONGEST_LESSON_MINUTES, SHORTEST_LESSON_MINUTES
from catalogue.models import Level, Subject
from money.models import Price


class LessonOffer(models.Model):
    """Lessons that a teacher advertises. An offer cannot be bought: students request lessons from it."""

    teacher = models.ForeignKey(Teacher, on_delete=models.PROTECT, related_name="lesson_offers")
    slug = models.SlugField(max_length=80, unique=True, editable=False)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="lesson_offers")
    levels = ArrayField(models.CharField(max_length=12, choices=Level), default=list)
    title = LineField(max_length=120)
    description = models.TextField(blank=True, max_length=5000, help_text="Markdown.")
    minutes = models.PositiveSmallIntegerField(
        "length in minutes",
        default=60,
        validators=[MinValueValidator(SHORTEST_LESSON_MINUTES), MaxValueValidator(LONGEST_LESSON_MINUTES)],
    )
    is_online = models.BooleanField("online", default=True)
    place = LineField(max_length=120, blank=True, help_text="Where lessons in person take place, such as Leeds.")
    language = models.CharField(max_length=10, default="en", validators=[is_language])
    is_published = models.BooleanField("published", default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["title", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_online=True) | ~Q(place=""),
                name="offer_is_online_or_has_a_place",
                violation_error_message="Give lessons online, or say where they take place.",
            ),
            models.CheckConstraint(
                condition=Q(minutes__range=(SHORTEST_LESSON_MINUTES, LONGEST_LESSON_MINUTES)),
                name="offer_length_sensible",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("bookings:offer_detail", args=[self.slug])

    @property
    def level_names(self) -> list[str]:
        """The names of the levels, as pages show them."""
        return [str(Level(level).label) for level in self.levels if level in Level.values]


class LessonPrice(Price):
    """The usual price of one lesson in one currency. What is charged is the price the teacher proposes."""

    offer = models.ForeignKey(LessonOffer, on_delete=models.CASCADE, related_name="prices")

    class Meta(Price.Meta):
        ordering = ["currency"]
        constraints = [
            *Price.Meta.constraints,
            models.UniqueConstraint(fields=["offer", "currency"], name="lesson_price_once_per_currency"),
        ]
