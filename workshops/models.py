"""Workshops, their sessions and prices, and the registrations that take their places."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse

from accounts.model_fields import ZoneNameField
from accounts.models import Teacher
from accounts.moments import YEARS, is_in_sensible_year
from accounts.one_line import LineField
from accounts.places_and_languages import is_language, languages
from catalogue.models import Level, Subject
from money import Money, is_currency
from money.models import Price, validate_price
from uploads.fields import PictureField
from uploads.pictures import COVER

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

LARGEST_CAPACITY = 1000
# Long enough for any night; a longer one is usually a mistyped time, such as 10:00 for 22:00.
LONGEST_SESSION = timedelta(hours=16)
# Links to meetings carry tokens: those of Microsoft Teams take 250 to 600 characters.
LONGEST_LINK = 2000
# Without 0/O and 1/I/L, because codes are read aloud. 12 of 31 characters are 59 bits, so they cannot be guessed.
_CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_ticket_code() -> str:
    """A random code that identifies one ticket."""
    return "".join(secrets.choice(_CODE_ALPHABET) for _ in range(12))


class Workshop(models.Model):
    """A teaching event for a limited number of people at fixed times, in one place or online."""

    class State(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        WITHDRAWN = "withdrawn"
        # For good: every registration is refunded.
        CANCELLED = "cancelled"

    teacher = models.ForeignKey(Teacher, on_delete=models.PROTECT, related_name="workshops")
    slug = models.SlugField(max_length=80, unique=True)
    title = LineField(max_length=120)
    summary = LineField(max_length=300, help_text="One or two sentences, shown in lists.")
    description = models.TextField(blank=True, help_text="Markdown: what people will do, and what to bring.")
    cover = PictureField(shape=COVER, upload_to="workshops/", blank=True)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="workshops")
    levels = ArrayField(models.CharField(max_length=12, choices=Level), default=list, blank=True)
    language = models.CharField(max_length=10, default="en", validators=[is_language])
    is_online = models.BooleanField("online", default=False)
    online_url = models.URLField(
        "link to join", max_length=LONGEST_LINK, blank=True, help_text="Shown only to registered people."
    )
    place = LineField(max_length=120, blank=True, help_text="Town or venue, as lists show it: Leeds.")
    address = models.TextField(max_length=500, blank=True)
    time_zone = ZoneNameField(default="Europe/London", help_text="The zone in which its times are entered.")
    capacity = models.PositiveIntegerField(
        "places", validators=[MinValueValidator(1), MaxValueValidator(LARGEST_CAPACITY)]
    )
    registration_opens_at = models.DateTimeField(null=True, blank=True, validators=[is_in_sensible_year])
    registration_closes_at = models.DateTimeField(
        null=True,
        blank=True,
        validators=[is_in_sensible_year],
        help_text="By default when the first session starts.",
    )
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    cancel_reason = models.CharField(max_length=300, blank=True, editable=False)
    # The same value as in the catalogue's listing, which is written only when this changes.
    is_sold_out = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [("cancel_workshop", "Can cancel workshops and refund their registrations")]
        constraints = [
            models.CheckConstraint(
                condition=Q(capacity__gte=1, capacity__lte=LARGEST_CAPACITY),
                name="workshop_capacity_in_range",
                violation_error_message="Choose between 1 and 1000 places.",
            ),
            models.CheckConstraint(
                condition=Q(registration_opens_at__isnull=True)
                | Q(registration_closes_at__isnull=True)
                | Q(registration_opens_at__lt=F("registration_closes_at")),
                name="workshop_registration_opens_before_it_closes",
                violation_error_message="Registration must close after it opens.",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("workshops:detail", args=[self.slug])

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which its times are entered."""
        return ZoneInfo(self.time_zone)

    @property
    def place_zone(self) -> ZoneInfo | None:
        """The zone of its place; None online, where times are shown in the reader's zone."""
        return None if self.is_online else self.zone

    @property
    def is_published(self) -> bool:
        return self.state == self.State.PUBLISHED

    @property
    def is_cancelled(self) -> bool:
        return self.state == self.State.CANCELLED

    @property
    def level_names(self) -> list[str]:
        """The names of the levels, as pages show them."""
        return [str(Level(level).label) for level in self.levels]

    @property
    def language_name(self) -> str:
        """The name of the language it is taught in."""
        return dict(languages()).get(self.language, self.language)

    @property
    def where(self) -> str:
        """Where it takes place, as lists show it."""
        return "Online" if self.is_online else self.place


class WorkshopSession(models.Model):
    """One period of a workshop, from start to end. It keeps its row when it is moved: calendars know it by its id."""

    workshop = models.ForeignKey(Workshop, on_delete=models.CASCADE, related_name="sessions")
    starts_at = models.DateTimeField(validators=[is_in_sensible_year])
    ends_at = models.DateTimeField(validators=[is_in_sensible_year])
    # Both change with anything that its entry in a calendar shows: triggers of the database see to it.
    sequence = models.PositiveIntegerField(db_default=0, editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["starts_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at")),
                name="workshop_session_starts_before_it_ends",
                violation_error_message="It must end after it starts.",
            ),
            # The years that every zone can show: the first and the last hours of the calendar do not exist in all.
            models.CheckConstraint(
                condition=Q(
                    starts_at__gte=datetime(YEARS.start, 1, 1, tzinfo=UTC),
                    ends_at__lt=datetime(YEARS.stop, 1, 1, tzinfo=UTC),
                ),
                name="workshop_session_in_sensible_years",
                violation_error_message="Give years close to the current one.",
            ),
            # Deferred, so that each of several daily sessions can be moved by a day.
            models.UniqueConstraint(
                fields=["workshop", "starts_at"],
                name="workshop_session_starts_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%d %b %Y %H:%M} – {self.ends_at:%H:%M} UTC"

    def clean(self) -> None:
        if self.starts_at and self.ends_at:
            refuse_long_session(self.starts_at, self.ends_at)


class RemovedSession(models.Model):
    """A session that no longer takes place, for the calendars that still show it."""

    workshop = models.ForeignKey(Workshop, on_delete=models.CASCADE, related_name="removed_sessions")
    session_number = models.BigIntegerField(unique=True, help_text="The id that the session had.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    sequence = models.PositiveIntegerField()
    removed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["starts_at", "id"]

    def __str__(self) -> str:
        return f"{self.starts_at:%d %b %Y %H:%M} – {self.ends_at:%H:%M} UTC, removed"


def refuse_long_session(starts_at: datetime, ends_at: datetime) -> None:
    """Raise ValidationError for a session longer than any real one."""
    length = ends_at - starts_at
    if length > LONGEST_SESSION:
        hours, longest = length // timedelta(hours=1), LONGEST_SESSION // timedelta(hours=1)
        raise ValidationError(
            f"This session would last {hours} hours, and at most {longest} are possible. Check when it starts and ends."
        )


class WorkshopPrice(Price):
    """The price of one place in one currency, in minor units, optionally with a lower early-bird price."""

    workshop = models.ForeignKey(Workshop, on_delete=models.CASCADE, related_name="prices")
    early_bird_amount_minor = models.PositiveBigIntegerField(null=True, blank=True)
    early_bird_until = models.DateTimeField(null=True, blank=True, validators=[is_in_sensible_year])

    class Meta(Price.Meta):
        ordering = ["currency"]
        constraints = [
            *Price.Meta.constraints,
            models.UniqueConstraint(fields=["workshop", "currency"], name="workshop_one_price_per_currency"),
            models.CheckConstraint(
                condition=Q(early_bird_amount_minor__isnull=True, early_bird_until__isnull=True)
                | Q(
                    early_bird_amount_minor__gt=0,
                    early_bird_amount_minor__lt=F("amount_minor"),
                    early_bird_until__isnull=False,
                ),
                name="workshop_early_bird_is_cheaper_and_ends",
                violation_error_message="An early-bird price needs an end, and must be lower than the price.",
            ),
        ]

    def clean(self) -> None:
        super().clean()
        if is_currency(self.currency) and self.early_bird_amount_minor is not None:
            validate_price(self.early_bird_amount_minor, self.currency, field="early_bird_amount_minor")

    @property
    def early_bird(self) -> Money | None:
        """The early-bird price, if there is one."""
        return None if self.early_bird_amount_minor is None else Money(self.early_bird_amount_minor, self.currency)

    def is_early_bird_at(self, at: datetime) -> bool:
        """Whether the early-bird price applies. It no longer applies at `early_bird_until` itself."""
        return self.early_bird_until is not None and at < self.early_bird_until

    def amount_at(self, at: datetime) -> Money:
        """The price of one place at this moment."""
        return self.early_bird if self.early_bird and self.is_early_bird_at(at) else self.amount


class RegistrationQuerySet(models.QuerySet["Registration"]):
    """Filters by state; some depend on the given moment."""

    def live(self) -> RegistrationQuerySet:
        """Registrations with a seat, including lapsed holds that are not recycled yet."""
        return self.filter(state__in=Registration.LIVE_STATES)

    def taking_a_place_at(self, at: datetime) -> RegistrationQuerySet:
        """Registrations whose place cannot be sold to others: confirmed, or held by a hold that has not lapsed."""
        return self.filter(Q(state=Registration.State.CONFIRMED) | Q(state=Registration.State.HELD, held_until__gt=at))

    def lapsed_at(self, at: datetime) -> RegistrationQuerySet:
        """Lapsed holds; the next buyer recycles them."""
        return self.filter(state=Registration.State.HELD, held_until__lte=at)


class Registration(models.Model):
    """One place of one order line, for one participant. While held or confirmed it has a numbered seat."""

    class State(models.TextChoices):
        HELD = "held"
        CONFIRMED = "confirmed"
        RELEASED = "released"
        REVOKED = "revoked"

    LIVE_STATES = (State.HELD, State.CONFIRMED)

    workshop = models.ForeignKey(Workshop, on_delete=models.PROTECT, related_name="registrations")
    buyer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="workshop_registrations")
    participant_name = models.CharField(max_length=150)
    participant_email = models.EmailField(blank=True)
    # An id, not a foreign key: domains do not depend on the tables of payments.
    order_line_id = models.BigIntegerField()
    order_number = models.CharField(max_length=40, blank=True)
    # Bought as a gift that no one has redeemed: the place is taken, but there is no ticket to show yet.
    is_gift_waiting = models.BooleanField("gift, not redeemed yet", default=False, db_default=False, editable=False)
    # The number of this place within its line, from 0: a repeated call finds the same rows again.
    position = models.PositiveSmallIntegerField()
    seat = models.PositiveIntegerField(help_text="Internal number that keeps places unique; not a numbered chair.")
    state = models.CharField(max_length=10, choices=State)
    held_until = models.DateTimeField(null=True, blank=True)
    code = models.CharField("ticket code", max_length=12, unique=True, default=new_ticket_code, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=200, blank=True)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workshop", "seat"],
                condition=Q(state__in=["held", "confirmed"]),
                name="registration_seat_taken_once",
            ),
            models.UniqueConstraint(fields=["order_line_id", "position"], name="registration_once_per_place_of_line"),
            models.CheckConstraint(condition=Q(seat__gte=1), name="registration_seat_from_one"),
            models.CheckConstraint(
                condition=~Q(state="held") | Q(held_until__isnull=False), name="registration_hold_has_an_end"
            ),
        ]
        indexes = [
            models.Index(fields=["buyer", "state"], name="registration_of_buyer"),
            # For the lists of the API, newest first.
            models.Index(fields=["buyer", "-created_at"], name="registration_by_buyer"),
            models.Index(fields=["workshop", "-created_at"], name="registration_by_workshop"),
        ]

    def __str__(self) -> str:
        return f"{self.participant_name} ({self.get_state_display()})"

    def get_absolute_url(self) -> str:
        return reverse("workshops:ticket", args=[self.code])

    @property
    def state_label(self) -> StrOrPromise:
        """The state, as pages show it."""
        return self.get_state_display()
