"""A member of staff takes a role for a short time, in an emergency, with a reason that others read."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Coalesce, Length, Now
from django.db.models.lookups import GreaterThanOrEqual

_PERIOD = Func(
    F("started_at"), Coalesce(F("ended_at"), F("ends_at")), function="TSTZRANGE", output_field=DateTimeRangeField()
)
# Equality of numbers in such a constraint needs an extension; overlapping ranges of one number do not.
_SAME_PERSON = Func(F("user"), F("user"), models.Value("[]"), function="INT8RANGE", output_field=BigIntegerRangeField())


class EmergencyAccessQuerySet(models.QuerySet["EmergencyAccess"]):
    """Sets of emergency accesses. What runs is decided by the database's clock."""

    def running(self) -> EmergencyAccessQuerySet:
        """Those that give permissions now."""
        return self.filter(ended_at__isnull=True, ends_at__gt=Now())

    def unreported(self) -> EmergencyAccessQuerySet:
        """Those that are over, by themselves or because they were ended, and that no report was mailed of."""
        return self.filter(Q(ended_at__isnull=False) | Q(ends_at__lte=Now()), reported_at__isnull=True)


class EmergencyAccess(models.Model):
    """From `started_at`, by the database's clock, until `ends_at` or until it was ended before.

    The database refuses more than four hours, two at once for one person, and every later change but its end and its
    report: to go on, a person takes another, which alerts again.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="emergency_accesses")
    role = models.CharField(max_length=20, choices=[(name, name) for name in ("support", "finance", "admin")])
    reason = models.TextField(max_length=1000)
    started_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reported_at = models.DateTimeField(null=True, blank=True)

    objects = EmergencyAccessQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions = [("take_emergencyaccess", "Can take a role in an emergency")]
        verbose_name = "emergency access"
        verbose_name_plural = "emergency accesses"
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=["support", "finance", "admin"]), name="emergency_access_role_known"
            ),
            models.CheckConstraint(
                condition=GreaterThanOrEqual(Length("reason"), 10), name="emergency_access_says_why"
            ),
            ExclusionConstraint(
                name="emergency_access_one_at_a_time",
                expressions=[
                    (_PERIOD, RangeOperators.OVERLAPS),
                    (_SAME_PERSON, RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}, {self.started_at:%-d %B %Y, %H:%M} UTC"
