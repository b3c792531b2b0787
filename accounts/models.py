"""Who people are: users who sign in by e-mail, and the teachers among them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse


class UserManager(BaseUserManager["User"]):
    """Creates users known by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user with a hashed password; without one they can sign in only by resetting it."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user who may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractUser):
    """A person who signs in by e-mail. Every teacher and staff member is one too."""

    username = None  # type: ignore[assignment]  # people sign in by e-mail
    email = models.EmailField("e-mail address")
    full_name = models.CharField("name", max_length=150, blank=True)
    time_zone = models.CharField(max_length=50, default="Europe/London")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """The name to greet and show; the part before the @ until one was given."""
        return self.full_name or self.email.partition("@")[0]


class Teacher(models.Model):
    """A person's teaching profile. Only approved teachers are shown and can sell."""

    class Status(models.TextChoices):
        APPLIED = "applied"
        APPROVED = "approved"
        DECLINED = "declined"
        SUSPENDED = "suspended"

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="teacher")
    slug = models.SlugField(unique=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.APPLIED)
    display_name = models.CharField(max_length=100)
    headline = models.CharField(max_length=140, blank=True)
    biography = models.TextField(blank=True, help_text="Markdown.")
    photo = models.ImageField(upload_to="teachers/", blank=True)
    languages = ArrayField(models.CharField(max_length=10), default=list, blank=True, help_text="ISO 639 codes: en, fr.")
    regions = ArrayField(
        models.CharField(max_length=10), default=list, blank=True, help_text="Where they may teach: GB, FR, US-CA."
    )
    # Basis points, 1000 = 10 %. Empty means the platform's default rate.
    commission_bps = models.PositiveIntegerField(null=True, blank=True)
    applied_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(commission_bps__isnull=True) | models.Q(commission_bps__lte=10_000),
                name="teacher_commission_at_most_whole",
            )
        ]

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return reverse("catalogue:teacher", args=[self.slug])
