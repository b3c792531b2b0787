"""Form fields that take files: any file, and pictures."""

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
    """A file. Says so if there was no room to take it in."""

    def to_python(self, data: Any) -> Any:
        if isinstance(data, UnstoredUpload):
            raise ValidationError(str(NotStored()), code="not_stored")
        return super().to_python(data)


class PictureInput(forms.ClearableFileInput):
    """Shows the picture there is, where Django's own shows the name of its file."""

    template_name = "uploads/_picture_input.html"

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ARG002
        # Forms are rendered from Django's own templates; this one is among ours.
        return render_to_string(self.template_name, self.get_context(name, value, attrs))


class PictureFormField(UploadFormField):
    """A picture, checked and encoded anew before anything else sees it. Its value is the new file."""

    widget = PictureInput

    def __init__(self, *, shape: Shape, **options: Any) -> None:
        self.shape = shape
        super().__init__(**options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "accept": "image/jpeg,image/png,image/webp"}

    def to_python(self, data: Any) -> Picture | None:
        upload = cast("UploadedFile[Any] | None", super().to_python(data))
        return read_picture(upload, shape=self.shape) if upload else None
