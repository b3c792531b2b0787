"""What teachers send to answer requests for lessons, and how these are answered."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError as FormError
from rest_framework import serializers

from bookings.api.serializers import LessonAnswer, describe_lesson
from bookings.models import LessonRequest
from bookings.proposals import Proposal
from bookings.rules import LONGEST_LESSON_MINUTES, LONGEST_LINK, SHORTEST_LESSON_MINUTES, SLOTS_AT_MOST
from bookings.slots import Slot
from money import Money
from money.amounts import InvalidAmount

_AMOUNT = re.compile(r"^[0-9]{1,9}(\.[0-9]{1,3})?\Z")
_SECONDS_PER_MINUTE = 60


class SlotSent(serializers.Serializer[Any]):
    """A time that is proposed."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse lengths that the site's form does not offer."""
        minutes = (attrs["ends_at"] - attrs["starts_at"]).total_seconds() / _SECONDS_PER_MINUTE
        if not SHORTEST_LESSON_MINUTES <= minutes <= LONGEST_LESSON_MINUTES:
            raise serializers.ValidationError(
                {"ends_at": f"A lesson takes {SHORTEST_LESSON_MINUTES} to {LONGEST_LESSON_MINUTES} minutes."}
            )
        return attrs


class ProposalSent(serializers.Serializer[Any]):
    """The lessons that a teacher proposes in answer to a request. Validated, it holds the price as `money`."""

    slots = SlotSent(
        many=True,
        allow_empty=False,
        max_length=SLOTS_AT_MOST,  # type: ignore[call-arg]  # of the list
        help_text="The student chooses among them.",
    )
    amount = serializers.RegexField(_AMOUNT, help_text="The price of each lesson.")
    is_online = serializers.BooleanField(default=True)
    meeting_url = serializers.URLField(
        max_length=LONGEST_LINK, default="", allow_blank=True, help_text="The student sees it once a lesson is paid."
    )
    place = serializers.CharField(max_length=200, default="", allow_blank=True, help_text="For lessons in person.")
    note = serializers.CharField(max_length=2000, default="", allow_blank=True, help_text="To the student.")
    propose_anyway = serializers.BooleanField(
        default=False, help_text="Propose the times although you have something else at one of them."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the currency."""
        return super().get_fields() | {"currency": serializers.ChoiceField(settings.CURRENCIES)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Read the price in its currency, and ask for the place of lessons in person."""
        if not attrs["is_online"] and not attrs["place"]:
            raise serializers.ValidationError({"place": "Say where the lesson takes place."})
        try:
            return {**attrs, "money": Money.from_major(attrs["amount"], attrs["currency"])}
        except (InvalidAmount, FormError) as error:
            raise serializers.ValidationError({"amount": f"{attrs['currency']} has fewer decimals."}) from error


class NoteSent(serializers.Serializer[Any]):
    """Why a request is declined."""

    note = serializers.CharField(
        max_length=2000,
        default="",
        allow_blank=True,
        help_text="To the student; to our team if the request goes to the next teacher.",
    )


class ReasonSent(serializers.Serializer[Any]):
    """Why a paid lesson is cancelled."""

    reason = serializers.CharField(max_length=200, help_text="The student reads it.")


class DeskRequestAnswer(serializers.Serializer[Any]):
    """A request for lessons as the teacher who is asked sees it."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=LessonRequest.State.choices)
    student = serializers.CharField(help_text="The student's name.")
    subject = serializers.CharField(help_text="`slug` of the subject.")
    level = serializers.CharField()
    goals = serializers.CharField()
    region = serializers.CharField(help_text="Where the student is: GB, US-CA.")
    meeting = serializers.ChoiceField(choices=LessonRequest.Meeting.choices)
    preferred_days = serializers.ListField(child=serializers.CharField())
    preferred_parts = serializers.ListField(child=serializers.CharField())
    preferred_times = serializers.CharField(allow_blank=True)
    is_to_any_teacher = serializers.BooleanField(help_text="Declined, it goes to the next suitable teacher.")
    teacher_note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    lapses_at = serializers.DateTimeField()
    lessons = LessonAnswer(many=True)


class DeclinedAnswer(serializers.Serializer[Any]):
    """A request that has left the teacher's desk."""

    id = serializers.IntegerField()
    is_passed_on = serializers.BooleanField(help_text="It went to the next teacher, or to our team.")


def proposal_from(sent: dict[str, Any]) -> Proposal:
    """The proposal that validated data describes."""
    is_online = sent["is_online"]
    return Proposal(
        slots=[Slot(slot["starts_at"], slot["ends_at"]) for slot in sent["slots"]],
        price=sent["money"],
        is_online=is_online,
        meeting_url=sent["meeting_url"] if is_online else "",
        place="" if is_online else sent["place"],
        note=sent["note"],
    )


def describe_desk_request(request: LessonRequest) -> dict[str, Any]:
    """A request, as `DeskRequestAnswer` takes it; with student and subject selected and its lessons prefetched."""
    return {
        "id": request.pk,
        "state": request.state,
        "student": request.student.display_name,
        "subject": request.subject.slug,
        "level": request.level,
        "goals": request.goals,
        "region": request.region,
        "meeting": request.meeting,
        "preferred_days": request.preferred_days,
        "preferred_parts": request.preferred_parts,
        "preferred_times": request.preferred_times,
        "is_to_any_teacher": request.is_to_any_teacher,
        "teacher_note": request.teacher_note,
        "created_at": request.created_at,
        "answered_at": request.answered_at,
        "lapses_at": request.lapses_at,
        "lessons": [describe_lesson(lesson) for lesson in request.lessons.all()],
    }
