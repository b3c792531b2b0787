"""Versions of the site's own texts. Triggers refuse to change or delete one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse

from pages.kinds import PageKind
from pages.wording import fill_in


class PageVersion(models.Model):
    """One version of one page, in Markdown. The one with the highest number is shown."""

    kind = models.CharField("page", max_length=10, choices=PageKind)
    number = models.PositiveIntegerField("version")
    text = models.TextField(
        max_length=100_000,
        help_text="Markdown. {seller}, {address}, {tax_number}, {contact} and {site} are replaced by the settings.",
    )
    published_at = models.DateTimeField(db_default=Now(), editable=False)
    # Empty for the first version, which comes with Lectern.
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["kind", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "number"], name="page_version_once"),
            models.CheckConstraint(condition=models.Q(kind__in=PageKind.values), name="page_of_a_known_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, version {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("pages:version", args=[self.kind, self.number])

    @property
    def title(self) -> str:
        return self.get_kind_display()

    @property
    def filled_in(self) -> str:
        """The text with the facts of the site in it."""
        return fill_in(self.text)
