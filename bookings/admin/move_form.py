"""The form with which staff choose a teacher for a request."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

from accounts.models import Teacher, User
from bookings.matching import judge_teachers, least_loaded, subjects_for
from bookings.models import LessonRequest

_SUGGESTED = 10
_OTHER = "other"


class MoveForm(forms.Form):
    """A suitable teacher, or any approved one by email address."""

    teacher = forms.ChoiceField(label="Give it to", widget=UnfoldAdminRadioSelectWidget)
    email = forms.EmailField(
        label="Email address of another teacher",
        required=False,
        widget=UnfoldAdminEmailInputWidget,
        help_text="For “Another teacher”. They may be paused, or teach something else.",
    )
    note = forms.CharField(
        max_length=2000,
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text="Why. For staff; it stays with the request.",
    )

    def __init__(self, *args: Any, lesson_request: LessonRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.suggested = _suggest(lesson_request)
        choices = [
            (str(pk), f"{teacher}, load {load} ({subject})") for pk, (teacher, load, subject) in self.suggested.items()
        ]
        field = self.fields["teacher"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # for mypy
        field.choices = [*choices, (_OTHER, "Another teacher")]

    def clean(self) -> dict[str, Any]:
        data = dict(super().clean() or self.cleaned_data)
        chosen = data.get("teacher")
        if chosen == _OTHER:
            data["to"] = self._teacher_by_email(data.get("email", ""))
        elif chosen:
            data["to"] = Teacher.objects.select_related("user").get(pk=int(chosen))
        return data

    def _teacher_by_email(self, email: str) -> Teacher | None:
        address = User.objects.normalize_email(email)
        teacher = Teacher.objects.select_related("user").filter(user__email=address).first() if address else None
        if teacher is None and "email" not in self.errors:
            self.add_error("email", "Give the email address of a teacher.")
        return teacher


def _suggest(request: LessonRequest) -> dict[int, tuple[Teacher, int, str]]:
    """Suitable teachers of the subject and then of the broader one, each with load and subject, least work first."""
    found: dict[int, tuple[int, str]] = {}
    for subject in subjects_for(request):
        _, suitable = judge_teachers(request, subject)
        for candidate in least_loaded(suitable, at_most=_SUGGESTED):
            found.setdefault(candidate.teacher_id, (candidate.load, subject.name))
    teachers = Teacher.objects.in_bulk(found)
    return {pk: (teachers[pk], *facts) for pk, facts in found.items()}
