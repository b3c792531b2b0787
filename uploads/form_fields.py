"""Form fields for files and for pictures."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from uploads.pictures import Picture, Shape, read_picture
from uploads.storage import NotStored
from uploads.upload_handlers import UnstoredUpload


class UploadFormField(forms.FileField):
    """A file. Reports an error if there was no room to store it."""

    def to_python(self, data: Any) -> Any:
        if isinstance(data, UnstoredUpload):
            raise ValidationError(str(NotStored()), code="not_stored")
        return super().to_python(data)


class PictureInput(forms.ClearableFileInput):
    """Shows the present picture, where Django's own widget shows its file name."""

    template_name = "uploads/_picture_input.html"

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ARG002
        # Forms are rendered from Django's own templates; this template is one of ours.
        return render_to_string(self.template_name, self.get_context(name, value, attrs))


class PictureFormField(UploadFormField):
    """A picture, checked and re-encoded before any other code sees it. Its value is the new file."""

    widget = PictureInput

    def __init__(self, *, shape: Shape, **options: Any) -> None:
        self.shape = shape
        super().__init__(**options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "accept": "image/jpeg,image/png,image/webp"}

    def to_python(self, data: Any) -> Picture | None:
        upload = cast("UploadedFile[Any] | None", super().to_python(data))
        return read_picture(upload, shape=self.shape) if upload else None
