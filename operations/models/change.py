"""One change of one row, as a trigger of the database kept it."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Change(models.Model):
    """What changed, when, by whom, and from where. Only triggers write it; it is never altered, see `operations.audit`.

    Neither person nor emergency access is held by a foreign key: the trail outlives both.
    """

    class Action(models.TextChoices):
        INSERT = "insert", "Added"
        UPDATE = "update", "Changed"
        DELETE = "delete", "Deleted"

    class Source(models.TextChoices):
        ADMIN = "admin", "Admin"
        SITE = "site", "Site"
        API = "api", "API"
        WORK = "work", "Background work"
        DATABASE = "database", "Command or database"

    at = models.DateTimeField("when")
    action = models.CharField(max_length=6, choices=Action)
    model = models.CharField("kind of object", max_length=100)
    table_name = models.CharField("table", max_length=63)
    object_id = models.CharField("object's id", max_length=100)
    # The values of all columns; of an update only those that changed. Null where there is no row.
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        db_constraint=False,
        db_index=False,
        on_delete=models.DO_NOTHING,
        related_name="+",
        verbose_name="who",
    )
    source = models.CharField("through", max_length=8, choices=Source)
    # The path of the request or the name of the task.
    place = models.CharField(max_length=200, blank=True)
    request_id = models.CharField("request", max_length=64, blank=True)
    database_user = models.CharField("role of the database", max_length=63)
    emergency_access_id = models.BigIntegerField("emergency access", null=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("export_change", "Can export the audit trail")]
        verbose_name = "change"
        verbose_name_plural = "audit trail"
        indexes = [
            models.Index(fields=["at"], name="change_by_moment"),
            models.Index(fields=["model", "object_id", "id"], name="change_by_object"),
            models.Index(fields=["actor", "id"], name="change_by_actor"),
            models.Index(fields=["request_id"], name="change_by_request", condition=~models.Q(request_id="")),
            models.Index(
                fields=["emergency_access_id", "id"],
                name="change_by_emergency_access",
                condition=models.Q(emergency_access_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.model} {self.object_id}"
