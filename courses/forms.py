"""Forms for teachers to edit their courses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from accounts.one_line import LineFormField
from accounts.places_and_languages import languages
from catalogue.models import Level, Subject
from courses.form_fields import ChoicesField, OutcomesField
from courses.models import Course, CourseLesson
from courses.uploads import read_lesson_file
from money import Money
from money.form_fields import PriceField
from uploads.form_fields import PictureFormField, UploadFormField
from uploads.names import safe_file_name
from uploads.pictures import COVER

MARKDOWN_HELP = "You may use Markdown: **bold**, *italic*, lists and [links](https://example.org)."
_LONGEST_TEXT = 100_000


class CourseForm(forms.Form):
    """Texts and prices of a course, with one price field per currency of the site."""

    title = LineFormField(max_length=120)
    summary = LineFormField(
        max_length=300, widget=forms.Textarea(attrs={"rows": 2}), help_text="One or two sentences, shown in lists."
    )
    description = forms.CharField(
        required=False, max_length=_LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 10}), help_text=MARKDOWN_HELP
    )
    outcomes = OutcomesField()
    subject = forms.ModelChoiceField(Subject.objects.all(), required=False, empty_label="None")
    levels = forms.MultipleChoiceField(choices=Level.choices, required=False, widget=forms.CheckboxSelectMultiple)
    language = forms.ChoiceField(choices=languages, initial="en")
    cover = PictureFormField(
        shape=COVER, required=False, help_text="JPEG, PNG or WebP, up to 5 MB. Wide pictures look best."
    )

    is_in_plans = forms.BooleanField(
        required=False,
        label="Include this course in plans",
        help_text="Subscribers open it without buying it, and you earn by how much they use it. You can stop at any time.",
    )

    def __init__(self, *args: Any, course: Course | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        prices = {price.currency: price.amount for price in course.prices.all()} if course else {}
        if course is not None:
            self.initial = {name: getattr(course, name, None) for name in self.fields} | {"subject": course.subject_id}
        for currency in [*settings.CURRENCIES, *(set(prices) - set(settings.CURRENCIES))]:
            self.fields[_price_field(currency)] = PriceField(
                currency=currency,
                label=f"Price in {currency}",
                required=False,
                initial=prices.get(currency),
                help_text=f"Leave empty if the course is not sold in {currency}.",
            )

    @property
    def prices(self) -> list[Money]:
        """The prices entered in a valid form."""
        typed = [value for name, value in self.cleaned_data.items() if name.startswith("price_")]
        return [price for price in typed if price is not None]

    @property
    def changes(self) -> dict[str, Any]:
        """All values except the prices, by the course's field names."""
        changes = {name: value for name, value in self.cleaned_data.items() if not name.startswith("price_")}
        # False if the checkbox to remove it is ticked.
        return changes | {"cover": changes["cover"] or ""}


def _price_field(currency: str) -> str:
    return f"price_{currency.lower()}"


class ModuleForm(forms.Form):
    title = LineFormField(max_length=120, label="Module title")


class LessonForm(forms.Form):
    """One lesson. Its kind is already chosen and determines which fields are shown."""

    title = LineFormField(max_length=120)
    video_url = forms.URLField(
        label="Link to the video",
        max_length=500,
        assume_scheme="https",
        validators=[URLValidator(schemes=["https"])],
        help_text="Where the video is hosted, starting with https://",
    )
    file = UploadFormField(help_text="Up to 50 MB. Only enrolled students can download it.")
    body = forms.CharField(max_length=_LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 16}), help_text=MARKDOWN_HELP)
    minutes = forms.IntegerField(label="Estimated minutes", min_value=1, max_value=600, initial=10)
    is_free_preview = forms.BooleanField(
        required=False, label="Free preview", help_text="Everyone can see this lesson before buying."
    )

    def __init__(self, *args: Any, kind: str, lesson: CourseLesson | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind = kind
        for name, needed in (("video_url", "video"), ("file", "file")):
            if kind != needed:
                del self.fields[name]
        if kind == CourseLesson.Kind.FILE:
            del self.fields["is_free_preview"]
        if kind != CourseLesson.Kind.TEXT:
            self.fields["body"].required = False
            self.fields["body"].label = "Notes"
            self.fields["body"].widget.attrs["rows"] = 6
        if lesson is not None:
            self.initial = {name: getattr(lesson, name) for name in self.fields if name != "file"}
            if "file" in self.fields:
                self.fields["file"].required = False
                self.fields["file"].help_text = f"Current file: {lesson.file_name}. Choose a file only to replace it."

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        return read_lesson_file(upload) if upload else upload

    @property
    def lesson_fields(self) -> dict[str, Any]:
        """The values to save, by the lesson's field names. An empty file field keeps the stored file."""
        fields = dict(self.cleaned_data)
        upload = fields.pop("file", None)
        if upload:
            fields |= {"file": upload, "file_name": safe_file_name(upload.name)}
        return fields


class QuestionForm(forms.Form):
    """A question with its choices, of which the right one is marked."""

    text = forms.CharField(label="Question", max_length=500)
    choices = ChoicesField(help_text="One choice per line. Put a star before the right one: * Paris")
    explanation = forms.CharField(required=False, max_length=500, help_text="Shown after answering.")

    def clean_choices(self) -> list[str]:
        lines: list[str] = self.cleaned_data["choices"]
        right = [number for number, line in enumerate(lines) if line.startswith("*")]
        choices = [line.removeprefix("*").strip() for line in lines]
        if len(lines) < 2:  # noqa: PLR2004  # fewer than two is no choice
            raise ValidationError("Give at least two choices.")
        if len(right) != 1:
            raise ValidationError("Put a star (*) before exactly one choice, the right one.")
        if not all(choices) or len(set(choices)) != len(choices):
            raise ValidationError("Choices must not be empty, and no two may be the same.")
        self.cleaned_data["right_choice"] = right[0]
        return choices
