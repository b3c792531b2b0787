"""How subjects, teachers and listings are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from rest_framework import serializers

from accounts.models import Teacher
from catalogue.models import Listing, Subject


class SubjectAnswer(serializers.Serializer[Any]):
    """A subject that is taught."""

    slug = serializers.CharField()
    name = serializers.CharField()
    broader = serializers.CharField(allow_null=True, help_text="`slug` of the subject that it belongs to.")


class SubjectsAnswer(serializers.Serializer[Any]):
    """All subjects, by name."""

    results = SubjectAnswer(many=True)


class ExpertiseAnswer(serializers.Serializer[Any]):
    """A subject that a teacher teaches."""

    subject = serializers.CharField(help_text="`slug` of the subject.")
    levels = serializers.ListField(child=serializers.CharField())


class TeacherAnswer(serializers.Serializer[Any]):
    """A teacher's public page."""

    slug = serializers.CharField()
    name = serializers.CharField()
    headline = serializers.CharField(allow_blank=True)
    biography = serializers.CharField(allow_blank=True, help_text="Markdown.")
    languages = serializers.ListField(child=serializers.CharField(), help_text="ISO 639 codes.")
    regions = serializers.ListField(child=serializers.CharField(), help_text="Where they may teach: GB, US-CA.")
    expertise = ExpertiseAnswer(many=True)
    url = serializers.URLField()


class PriceAnswer(serializers.Serializer[Any]):
    """The price now in one currency."""

    currency = serializers.CharField(help_text="ISO 4217 code.")
    amount = serializers.CharField()


class ListingAnswer(serializers.Serializer[Any]):
    """Something that is offered. What it costs is decided when it is in a cart."""

    domain = serializers.CharField(help_text="With `reference`, what a cart takes.")
    reference = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField(allow_blank=True)
    teacher = serializers.CharField(help_text="`slug` of the teacher.")
    subject = serializers.CharField(allow_null=True, help_text="`slug` of the subject.")
    levels = serializers.ListField(child=serializers.CharField())
    language = serializers.CharField(help_text="ISO 639 code.")
    is_online = serializers.BooleanField()
    place = serializers.CharField(allow_blank=True)
    starts_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField(allow_null=True, help_text="From when it can no longer be bought.")
    is_by_request = serializers.BooleanField(help_text="Ask the teacher for lessons: it is not put into a cart itself.")
    is_sold_out = serializers.BooleanField()
    prices = PriceAnswer(many=True)
    url = serializers.URLField()


def describe_subject(subject: Subject) -> dict[str, Any]:
    """A subject with its broader one selected, as `SubjectAnswer` takes it."""
    return {
        "slug": subject.slug,
        "name": subject.name,
        "broader": subject.broader.slug if subject.broader else None,
    }


def describe_teacher(teacher: Teacher) -> dict[str, Any]:
    """A teacher, as `TeacherAnswer` takes it. Prefetch `expertises__subject`."""
    return {
        "slug": teacher.slug,
        "name": teacher.display_name,
        "headline": teacher.headline,
        "biography": teacher.biography,
        "languages": teacher.languages,
        "regions": teacher.regions,
        "expertise": [{"subject": one.subject.slug, "levels": one.levels} for one in teacher.expertises.all()],
        "url": f"{settings.BASE_URL}{teacher.get_absolute_url()}",
    }


def describe_listing(listing: Listing, *, at: datetime) -> dict[str, Any]:
    """A listing with what cards show, as `ListingAnswer` takes it."""
    prices = [price.amount for price in listing.prices.all() if price.holds_at(at)]
    return {
        "domain": listing.domain,
        "reference": listing.reference,
        "kind": listing.kind_label,
        "title": listing.title,
        "summary": listing.summary,
        "teacher": listing.teacher.slug,
        "subject": listing.subject.slug if listing.subject else None,
        "levels": listing.levels,
        "language": listing.language,
        "is_online": listing.is_online,
        "place": listing.place,
        "starts_at": listing.starts_at,
        "closes_at": listing.closes_at,
        "is_by_request": listing.is_by_request,
        "is_sold_out": listing.is_sold_out,
        "prices": [
            {"currency": price.currency, "amount": price.to_major()}
            for price in sorted(prices, key=lambda price: price.currency)
        ],
        "url": f"{settings.BASE_URL}{listing.url}",
    }
