"""On which terms a teacher takes lesson credits of subscriptions."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import Teacher
from bookings.rules import LONGEST_LESSON_MINUTES, SHORTEST_LESSON_MINUTES


class CreditTerms(models.Model):
    """What a teacher agreed to. A teacher without this row takes no lesson credits.

    `least_values` is the lowest value of a credit that the teacher was shown, in minor units by currency. A credit that
    is worth less, because a plan was changed since, is not taken until they agree again.
    """

    teacher = models.OneToOneField(Teacher, primary_key=True, on_delete=models.CASCADE, related_name="credit_terms")
    longest_minutes = models.PositiveSmallIntegerField(
        "longest lesson for one credit, in minutes",
        default=60,
        validators=[MinValueValidator(SHORTEST_LESSON_MINUTES), MaxValueValidator(LONGEST_LESSON_MINUTES)],
    )
    least_values: models.JSONField[Any, Any] = models.JSONField(default=dict)
    agreed_at = models.DateTimeField()

    class Meta:
        verbose_name = "terms for lesson credits"
        verbose_name_plural = "terms for lesson credits"
        constraints = [
            models.CheckConstraint(
                condition=Q(longest_minutes__range=(SHORTEST_LESSON_MINUTES, LONGEST_LESSON_MINUTES)),
                name="credit_terms_length_sensible",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.teacher} takes lesson credits"
