"""The forms of a dispute: its evidence with files, and the confirmation of what cannot be taken back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.base import ContentFile
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from payments.disputes.evidence_fields import FILES, LONGEST_TEXT, TEXTS
from payments.disputes.evidence_files import read_evidence_file
from payments.models import EvidenceFile
from uploads.form_fields import UploadFormField

_REMOVE = "remove_"


class EvidenceFileField(UploadFormField):
    """A file that the bank can read. Its value is the checked content under a safe name."""

    def to_python(self, data: Any) -> ContentFile[bytes] | None:
        upload = super().to_python(data)
        return read_evidence_file(upload) if upload else None


class EvidenceForm(forms.Form):
    """The texts and files of a dispute's evidence. Fields are built from what Stripe takes."""

    def __init__(self, *arguments: Any, present_files: dict[str, EvidenceFile], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.present_files = present_files
        for field in TEXTS:
            widget = UnfoldAdminTextInputWidget() if field.is_short else UnfoldAdminTextareaWidget(attrs={"rows": 6})
            self.fields[field.name] = forms.CharField(
                label=field.label, help_text=field.help, required=False, max_length=LONGEST_TEXT, widget=widget
            )
        for field in FILES:
            self.fields[field.name] = EvidenceFileField(
                label=field.label,
                help_text=field.help,
                required=False,
                # Unfold's script writes the file's name into the text box beside it. Beside a plain input it would
                # find another field's.
                widget=UnfoldAdminFileFieldWidget(attrs={"accept": "application/pdf,image/jpeg,image/png"}),
            )
            if field.name in present_files:
                self.fields[_REMOVE + field.name] = forms.BooleanField(label="Remove this file", required=False)

    @property
    def text_rows(self) -> list[forms.BoundField]:
        """The text fields, in order."""
        return [self[field.name] for field in TEXTS]

    @property
    def file_rows(self) -> list[dict[str, Any]]:
        """The file fields, each with its present file and the box that removes it."""
        return [
            {
                "field": self[field.name],
                "present": self.present_files.get(field.name),
                "remove": self[_REMOVE + field.name] if field.name in self.present_files else None,
            }
            for field in FILES
        ]

    @property
    def cleaned_texts(self) -> dict[str, str]:
        return {field.name: self.cleaned_data[field.name] for field in TEXTS}

    @property
    def new_files(self) -> dict[str, ContentFile[bytes]]:
        return {field.name: self.cleaned_data[field.name] for field in FILES if self.cleaned_data.get(field.name)}

    @property
    def files_to_remove(self) -> list[str]:
        """The files that are removed and not replaced."""
        marked = [field.name for field in FILES if self.cleaned_data.get(_REMOVE + field.name)]
        return [name for name in marked if name not in self.new_files]


class ConfirmationForm(forms.Form):
    """The reason for a decision that cannot be taken back, and what it was made about."""

    note = forms.CharField(
        label="Why, for the record",
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For staff only. The bank does not see it.",
    )
    # Refused if another member of staff changed the evidence since the page was shown.
    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class AcceptanceForm(ConfirmationForm):
    """As for any decision, but the loss of money needs a reason."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["note"].required = True
