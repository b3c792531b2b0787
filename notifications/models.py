"""Mails, waiting, sent or parked, and alerts to staff."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now

from jobs.models import DurableWork
from notifications.advice import advice_on, page_for


def kind_of(template: str) -> str:
    """What emails of a template are about, in words: "Payment confirmed" for payments/mail/payment_confirmed."""
    return template.rpartition("/")[2].replace("_", " ").capitalize()


class Mail(DurableWork):
    """One mail to one person. Template and context are stored when it is queued, and rendered when it is sent."""

    queue = "default"
    lease = timedelta(seconds=60)
    # More than a day in total for any jitter, because a mail server may be down for so long.
    max_attempts = 45
    first_retry_delay = timedelta(seconds=5)
    longest_retry_delay = timedelta(hours=1)

    # Mails whose template has this prefix may contain a link that signs their reader in.
    CONFIDENTIAL_TEMPLATES = "account/"

    key = models.CharField(
        max_length=200, unique=True, help_text="Identifies the email; a second one with the same key is not queued."
    )
    to = models.EmailField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="mails")
    template = models.CharField(max_length=100, help_text="For example bookings/mail/lesson_confirmed.")
    context = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    language = models.CharField(max_length=10, default="en-gb")
    # Objects with name (lesson.ics), mime (text/calendar) and text; or, instead of text, renderer and reference.
    attachments = models.JSONField(default=list)
    subject = models.CharField(max_length=255, blank=True, editable=False)
    text_body = models.TextField(blank=True, editable=False)
    html_body = models.TextField(blank=True, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)

    series = models.CharField(
        max_length=100,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Of the emails of a series that wait for one person, only the latest is sent.",
    )
    again_of = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="+", editable=False, help_text="Sent again by staff."
    )

    class Meta(DurableWork.Meta):
        verbose_name = "email"
        ordering = ["-pk"]
        indexes = [
            *DurableWork.Meta.indexes,
            models.Index(fields=["series", "to"], condition=~models.Q(series=""), name="mail_of_a_series"),
        ]

    def __str__(self) -> str:
        return f"“{self.title}” to {self.to}"

    @property
    def title(self) -> str:
        """The subject. While it has none, or if it is confidential: its template's name in words."""
        if self.subject and not self.is_confidential:
            return self.subject
        return kind_of(self.template)

    @property
    def is_confidential(self) -> bool:
        """Whether it may contain a link that signs its reader in, so that only the recipient may see it."""
        return self.template.startswith(self.CONFIDENTIAL_TEMPLATES)


class AlertQuerySet(models.QuerySet["Alert"]):
    """Named sets of alerts."""

    def open(self) -> AlertQuerySet:
        """Those whose problem lasts."""
        return self.filter(cleared_at__isnull=True)

    def unread(self) -> AlertQuerySet:
        """Open ones that no member of staff has taken on yet."""
        return self.open().filter(acknowledged_at__isnull=True)


class Alert(models.Model):
    """A problem that staff must look at. At most one per key is open, until it is cleared."""

    key = models.CharField(max_length=200)
    title = models.CharField(max_length=200)
    detail = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    occurrences = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    cleared_at = models.DateTimeField(null=True, blank=True)
    # A member of staff has seen it and deals with it; it stays open until the problem is solved.
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(cleared_at__isnull=True), name="alert_open_once_per_key"
            )
        ]

        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.title

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What the code that raised it said about it, by name, without what is shown apart."""
        shown_apart = {"page", "what to do"}
        return [(name, str(value)) for name, value in self.detail.items() if name not in shown_apart and value]

    @property
    def what_to_do(self) -> str:
        """What solves the problem: from the detail "what to do", or the advice on its kind; empty if there is none."""
        advice = advice_on(self.key)
        return str(self.detail.get("what to do", "")) or (advice.what_to_do if advice else "")

    @property
    def page(self) -> str:
        """The path on this site where staff solve the problem: from the detail "page", or the advice on its kind."""
        page = self.detail.get("page", "")
        is_path = isinstance(page, str) and page.startswith("/") and not page.startswith("//")
        return page if is_path else page_for(self.key)
