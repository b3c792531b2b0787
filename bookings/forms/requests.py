"""A student's request."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.db.models import F, Func

from accounts.models import Teacher
from accounts.places_and_languages import regions
from bookings.models import LessonOffer, LessonRequest
from bookings.requests import Wish
from catalogue.models import Level, Subject


class RequestForm(forms.Form):
    """What a student wants to learn, when, and where they are."""

    subject = forms.ModelChoiceField(Subject.objects.none(), empty_label="Choose a subject")
    level = forms.ChoiceField(label="Your level", choices=Level.choices)
    goals = forms.CharField(
        label="What would you like to achieve?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="For example an exam, a piece you want to play, or a gap you want to close.",
    )
    meeting = forms.ChoiceField(
        label="Where should lessons take place?",
        choices=LessonRequest.Meeting.choices,
        initial=LessonRequest.Meeting.ONLINE,
        widget=forms.RadioSelect,
    )
    region = forms.ChoiceField(
        label="Where you are", help_text="Some teachers are licensed for certain countries or states only."
    )
    preferred_days = forms.MultipleChoiceField(
        label="Days that suit you",
        choices=LessonRequest.Weekday.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    preferred_parts = forms.MultipleChoiceField(
        label="Times of day", choices=LessonRequest.DayPart.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    preferred_times = forms.CharField(
        label="More about times",
        max_length=500,
        required=False,
        help_text="For example: not in the first week of May, or only after 17:30.",
    )

    def __init__(self, *args: Any, teacher: Teacher | None, offer: LessonOffer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        subject = cast("forms.ModelChoiceField[Subject]", self.fields["subject"])
        subject.queryset = _subjects_of(teacher, offer)
        cast("forms.ChoiceField", self.fields["region"]).choices = [("", "Choose"), *_region_choices()]
        if offer:
            self.initial.setdefault("subject", offer.subject_id)
            self.initial.setdefault("level", next(iter(offer.levels), None))

    @property
    def wish(self) -> Wish:
        """The wish entered in a valid form."""
        return Wish(**self.cleaned_data)


def _subjects_of(teacher: Teacher | None, offer: LessonOffer | None) -> Any:
    """The teacher's subjects; for requests to any teacher, each that one teaches, or whose broader subject one teaches."""
    if teacher is None:
        taught = Subject.objects.filter(expertises__teacher__status=Teacher.Status.APPROVED)
        taught |= Subject.objects.filter(broader__expertises__teacher__status=Teacher.Status.APPROVED)
    else:
        taught = Subject.objects.filter(expertises__teacher=teacher)
        if offer:
            taught |= Subject.objects.filter(lesson_offers=offer)
    return Subject.objects.filter(pk__in=taught.values("pk"))


def _region_choices() -> list[tuple[str, str]]:
    """Every country, followed by those of its parts in which a teacher is licensed, such as US-CA."""
    licensed = (
        Teacher.objects.filter(status=Teacher.Status.APPROVED)
        .annotate(region=Func(F("regions"), function="unnest"))
        .values_list("region", flat=True)
        .distinct()
    )
    parts = sorted({region for region in licensed if "-" in region})
    choices = []
    for code, name in regions():
        choices.append((code, name))
        choices += [(part, f"{name}: {part}") for part in parts if part.startswith(f"{code}-")]
    return choices
