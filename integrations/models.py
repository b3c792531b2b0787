"""Tokens, and the answers that are kept so that a repeated request gets the same one."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.one_line import LineField
from integrations.scopes import Scope

LONGEST_KEY = 255


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Filters whose results depend on the given moment."""

    def usable(self, now: datetime) -> ApiTokenQuerySet:
        """Tokens that sign their owner in at this moment."""
        return self.filter(revoked_at=None, expires_at__gt=now, user__is_active=True)


class ApiToken(models.Model):
    """A secret with which a program acts for its owner, within its scopes. Only a hash of the secret is stored.

    Created and revoked only by `integrations.tokens`.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = LineField(max_length=60, help_text="What it is for: Website, Booking tool.")
    prefix = models.CharField(max_length=12, help_text="How the secret begins, to tell tokens apart.")
    # SHA-256 is enough: the secret has 240 random bits, so no list of likely secrets exists.
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "API token"
        ordering = ["-created_at", "-pk"]
        constraints = [
            # Submitting the form twice makes one token.
            models.UniqueConstraint(
                fields=["user", "name"], condition=Q(revoked_at=None), name="api_token_name_once_per_user"
            ),
            models.CheckConstraint(condition=Q(scopes__len__gt=0), name="api_token_has_scopes"),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=sorted(Scope.values)), name="api_token_scopes_known"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="api_token_expires_after_its_creation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def scope_labels(self) -> list[str]:
        """What it may do, in words."""
        return [str(scope.label) for scope in Scope if scope.value in self.scopes]


class StoredAnswer(models.Model):
    """The answer to a request with an Idempotency-Key. Written only by `integrations.idempotency`.

    Without a status it is a claim: the request is being carried out until `claimed_until`, or its process died.
    `subject` is what the request has made so far, stored in the transaction that made it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=LONGEST_KEY)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, address and body.")
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(null=True)
    claimed_until = models.DateTimeField(null=True)
    subject = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="stored_answer_once_per_key"),
            models.CheckConstraint(
                condition=Q(status__isnull=False, body__isnull=False)
                | Q(status__isnull=True, body__isnull=True, claimed_until__isnull=False),
                name="stored_answer_is_answer_or_claim",
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="stored_answer_by_age")]

    def __str__(self) -> str:
        return f"{self.key}: {self.status or 'in progress'}"
