"""Who people are: users who sign in by email, and the teachers among them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse

from accounts.canonical_addresses import canonical_address
from accounts.model_fields import ZoneNameField
from accounts.names import first_name
from accounts.one_line import LineField
from accounts.places_and_languages import is_language, is_region
from uploads.fields import PictureField
from uploads.pictures import PORTRAIT


class UserManager(BaseUserManager["User"]):
    """Creates users known by their email address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a user with a hashed password; without one they can sign in only by resetting it.

        Raises ValidationError for an address that cannot be mailed.
        """
        user = self.model(email=canonical_address(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a user who may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=self.normalize_email(username))

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """The form under which an account with this address is found; what no account can have is only lower-cased."""
        try:
            return canonical_address(email or "")
        except ValidationError:
            return (email or "").strip().lower()


class User(AbstractUser):
    """A person who signs in by email. Every teacher and staff member is one too."""

    username = None  # type: ignore[assignment]  # people sign in by email
    # One field for the name: not everyone has a first and a last name.
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField("email address", unique=True, error_messages={"unique": "This address is in use."})
    full_name = models.CharField("name", max_length=150, blank=True)
    time_zone = ZoneNameField(default="Europe/London")
    language = models.CharField(max_length=10, default="en-gb", help_text="What emails and pages are written in.")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        # Together with the unique column: one account per address, whatever its case. Sign-in looks up the
        # lower-case form, so another form in the table would lock its owner out.
        constraints = [models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case")]

    def __str__(self) -> str:
        return self.display_name

    def clean(self) -> None:
        try:
            self.email = canonical_address(self.email)
        except ValidationError as error:
            raise ValidationError({"email": error}) from error

    @property
    def display_name(self) -> str:
        """The name on pages; the part of the address before the @ until a name is given."""
        return self.full_name or self.email.partition("@")[0]

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        """The name in greetings, empty if they gave none."""
        return first_name(self.full_name)


class Teacher(models.Model):
    """A person's teaching profile. Only approved teachers are shown and can sell.

    `status` changes only through `accounts.applications`, so that the listeners there are called.
    """

    class Status(models.TextChoices):
        APPLIED = "applied"
        APPROVED = "approved"
        DECLINED = "declined"
        SUSPENDED = "suspended"

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="teacher")
    slug = models.SlugField(unique=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.APPLIED)
    display_name = models.CharField(max_length=100)
    headline = LineField(max_length=140, blank=True)
    biography = models.TextField(blank=True, max_length=10_000, help_text="Markdown.")
    photo = PictureField(shape=PORTRAIT, upload_to="teachers/", blank=True)
    languages = ArrayField(
        models.CharField(max_length=10, validators=[is_language]),
        default=list,
        blank=True,
        help_text="ISO 639 codes: en, fr.",
    )
    regions = ArrayField(
        models.CharField(max_length=10, validators=[is_region]),
        default=list,
        blank=True,
        help_text="Where they may teach: GB, FR, US-CA.",
    )
    tax_number = LineField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="Printed on receipts where you are the seller, for example GB123456789.",
    )
    # Basis points, 1000 = 10 %. Empty means the platform's default rate.
    commission_bps = models.PositiveIntegerField(null=True, blank=True)
    applied_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        User, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="decided_teachers"
    )
    decision_note = models.TextField(blank=True, help_text="The teacher reads this when declined or suspended.")

    class Meta:
        permissions = [
            ("decide_teacher", "Can approve, decline and suspend teachers"),
            ("set_commission", "Can set a teacher's commission"),
        ]
        indexes = [models.Index(fields=["status", "applied_at"], name="teacher_by_status")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(commission_bps__isnull=True) | models.Q(commission_bps__lte=10_000),
                name="teacher_commission_at_most_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["applied", "approved", "declined", "suspended"]),
                name="teacher_status_known",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return reverse("catalogue:teacher", args=[self.slug])

    @property
    def is_approved(self) -> bool:
        return self.status == Teacher.Status.APPROVED
