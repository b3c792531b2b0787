"""What the catalogue does when something changes below it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from accounts.models import Teacher
from catalogue.listings import index_listings
from catalogue.models import Listing


@receiver(post_save, sender=Teacher, dispatch_uid="catalogue.index_listings_of_teacher")
def index_listings_of_teacher(
    instance: Teacher, *, created: bool, update_fields: Collection[str] | None, **_: Any
) -> None:
    """Find a teacher's listings by the present name only."""
    if not created and (update_fields is None or "display_name" in update_fields):
        index_listings(Listing.objects.filter(teacher=instance))
