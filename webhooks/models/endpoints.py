"""Where people want to hear of events, and the secrets with which the messages are signed."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.one_line import LineField

LONGEST_URL = 500


class Endpoint(models.Model):
    """An address of a person's own program, and which events it is sent. Changed only by `webhooks.endpoints`.

    One that `sees_everything` belongs to a member of staff and is sent the events of all people.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhook_endpoints")
    url = models.CharField("address", max_length=LONGEST_URL)
    description = LineField(max_length=100, blank=True, help_text="What it is for: Accounting, Calendar.")
    event_types = ArrayField(models.CharField(max_length=50))
    sees_everything = models.BooleanField(
        default=False, help_text="Sent the events of all people, not only its owner's."
    )
    is_enabled = models.BooleanField(default=True)
    disabled_because = models.CharField(max_length=200, blank=True, help_text="Empty if its owner switched it off.")
    # Since when every message has failed; empty while the last one arrived.
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    failures_in_a_row = models.PositiveIntegerField(default=0, editable=False)
    # Nothing is sent before this, so that one that is down does not keep the workers busy.
    paused_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = "webhook endpoint"
        permissions = [("receive_all_events", "Can make endpoints that are sent the events of all people")]
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["id"], condition=Q(sees_everything=True), name="webhook_endpoint_of_staff"),
        ]
        constraints = [
            # Submitting the form twice makes one endpoint.
            models.UniqueConstraint(fields=["user", "url"], name="webhook_endpoint_once_per_address"),
            models.CheckConstraint(condition=Q(event_types__len__gt=0), name="webhook_endpoint_wants_events"),
            models.CheckConstraint(
                condition=Q(is_enabled=False) | Q(disabled_because=""), name="webhook_endpoint_enabled_without_reason"
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url

    @property
    def state_text(self) -> str:
        """Whether it is sent events, in words."""
        if not self.is_enabled:
            return "disabled" if self.disabled_because else "off"
        return "failing" if self.failing_since else "on"


class EndpointSecret(models.Model):
    """A secret of an endpoint. While one is being replaced, messages are signed with each that has not ended.

    Stored as it is, since signing needs it: who has it can send false messages to that endpoint, but do nothing here.
    """

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="secrets")
    secret = models.CharField(max_length=100, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="When it stops signing; empty for the current one.")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=Q(ends_at=None), name="webhook_secret_one_current_per_endpoint"
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=F("created_at")), name="webhook_secret_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return f"secret of {self.endpoint_id}"

    def signs_at(self, now: datetime) -> bool:
        """Whether messages are signed with it at this moment."""
        return self.ends_at is None or self.ends_at > now
